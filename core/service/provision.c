/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/provision.h"

#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/service/record.h"

#include <string.h>

/* One attempt under way: what the witness needs, and what the injector is not told. */
struct attempt {
	struct provisioner *provisioner;
	struct arena *arena;
	const struct pep_identity *fields; /* of the request */
	const struct pep_identity *record; /* as it was written last */
	const char *nonce;
	uint32_t number;
	int64_t deadline_boot_ms;
	bool contacted;
	pep_status witness_status; /* what the witness said when it said no */
};

/* --- the functions of the machine, as record_change() wants them --- */

static enum machine_verdict decide_request(struct arena *arena, const struct pep_identity *record, const void *event,
					   struct pep_identity *next)
{
	return machine_request(arena, record, event, next);
}

static enum machine_verdict decide_contact(struct arena *arena, const struct pep_identity *record, const void *event,
					   struct pep_identity *next)
{
	return record ? machine_contact(arena, record, event, next) : MACHINE_NOT_MINE;
}

static enum machine_verdict decide_issue(struct arena *arena, const struct pep_identity *record, const void *event,
					 struct pep_identity *next)
{
	(void)arena;
	return record ? machine_issue(record, event, next) : MACHINE_NOT_MINE;
}

static enum machine_verdict decide_delivery(struct arena *arena, const struct pep_identity *record, const void *event,
					    struct pep_identity *next)
{
	return record ? machine_deliver(arena, record, event, next) : MACHINE_NOT_MINE;
}

static enum machine_verdict decide_end(struct arena *arena, const struct pep_identity *record, const void *event,
				       struct pep_identity *next)
{
	(void)arena;
	return record ? machine_end(record, event, next) : MACHINE_NOT_MINE;
}

/* --- claim: rows 1 to 5 --- */

static pep_status prepare_claim(const struct attempt *attempt, struct machine_request *ret_event, struct pep_error *err)
{
	const struct provisioner *provisioner = attempt->provisioner;

	*ret_event = (struct machine_request){.fields = attempt->fields,
					      .nonce = attempt->nonce,
					      .owner = provisioner->owner,
					      .lease_ms = provisioner->lease_ms,
					      .opaque = injector_is_opaque(provisioner->injector)};
	return storage_now(provisioner->storage, &ret_event->now_ms, err);
}

/* What a claim would get. Nothing is written: an answer that needs no gateway does not wait for one. */
static pep_status peek(struct attempt *attempt, enum machine_verdict *ret_verdict, struct pep_error *err)
{
	struct machine_request event;
	struct pep_identity unused;
	pep_status status = prepare_claim(attempt, &event, err);

	if (status == PEP_OK)
		status = storage_get(attempt->provisioner->storage, attempt->arena, attempt->fields->serial, &attempt->record, err);
	if (status == PEP_OK)
		*ret_verdict = machine_request(attempt->arena, attempt->record, &event, &unused);
	return status;
}

static pep_status claim(struct attempt *attempt, enum machine_verdict *ret_verdict, struct pep_error *err)
{
	struct machine_request event;
	struct record_change change = {
		.serial = attempt->fields->serial, .known = attempt->record, .decide = decide_request, .event = &event};
	pep_status status = prepare_claim(attempt, &event, err);

	if (status == PEP_OK)
		status = record_change(attempt->provisioner->storage, attempt->arena, &change, ret_verdict, &attempt->record, err);
	if (status == PEP_OK && *ret_verdict == MACHINE_WRITE)
		attempt->number = attempt->record->attempt;
	PEP_FAILPOINT("claimed");
	return status;
}

static enum provision_outcome outcome_of_claim(enum machine_verdict verdict)
{
	switch (verdict) {
	case MACHINE_REPLAY:
		return PROVISION_REPLAYED;
	case MACHINE_MISMATCH:
		return PROVISION_MISMATCH;
	case MACHINE_IN_PROGRESS:
		return PROVISION_IN_PROGRESS;
	default:
		return PROVISION_EXISTS;
	}
}

/* --- the witness: rows 7 and 8 --- */

static pep_status witness_answer(struct attempt *attempt, pep_status status, enum machine_verdict verdict, struct pep_error *err)
{
	if (status == PEP_CONFLICT)
		status = PEP_INTERNAL; /* not a race: another record has this enrollment identity */
	else if (status == PEP_OK && verdict != MACHINE_WRITE)
		status = pep_fail(err, PEP_CONFLICT, 0, "serial %.64s belongs to a later attempt", attempt->fields->serial);
	attempt->witness_status = status;
	return status;
}

static pep_status contact(struct attempt *attempt, const char *enrollment_id, struct pep_error *err)
{
	struct provisioner *provisioner = attempt->provisioner;
	struct machine_contact event = {.by = {attempt->number, attempt->nonce},
					.fields = attempt->fields,
					.lease_ms = provisioner->lease_ms,
					.opaque = injector_is_opaque(provisioner->injector),
					.enrollment_id = enrollment_id ? arena_text(attempt->arena, enrollment_id) : NULL};
	struct record_change change = {
		.serial = attempt->fields->serial, .known = attempt->record, .decide = decide_contact, .event = &event};
	enum machine_verdict verdict = MACHINE_REFUSED;
	pep_status status = storage_now(provisioner->storage, &event.now_ms, err);

	if (status == PEP_OK)
		status = record_change(provisioner->storage, attempt->arena, &change, &verdict, &attempt->record, err);
	status = witness_answer(attempt, status, verdict, err);
	attempt->contacted = attempt->contacted || status == PEP_OK;
	return status;
}

static pep_status issue(struct attempt *attempt, const char *enrollment_id, struct pep_error *err)
{
	struct provisioner *provisioner = attempt->provisioner;
	struct machine_issue event = {.by = {attempt->number, attempt->nonce},
				      .enrollment_id = arena_text(attempt->arena, enrollment_id),
				      .lease_ms = provisioner->lease_ms};
	struct record_change change = {
		.serial = attempt->fields->serial, .known = attempt->record, .decide = decide_issue, .event = &event};
	enum machine_verdict verdict = MACHINE_REFUSED;
	pep_status status = storage_now(provisioner->storage, &event.now_ms, err);

	if (status == PEP_OK)
		status = record_change(provisioner->storage, attempt->arena, &change, &verdict, &attempt->record, err);
	return witness_answer(attempt, status, verdict, err);
}

static pep_status witness_contacted(struct pep_witness *witness, struct pep_error *err)
{
	pep_status status = contact(witness->ctx, NULL, err);

	PEP_FAILPOINT("contacted");
	return status;
}

static pep_status witness_issued(struct pep_witness *witness, const char *enrollment_id, struct pep_error *err)
{
	struct attempt *attempt = witness->ctx;
	pep_status status = attempt->contacted ? issue(attempt, enrollment_id, err) : contact(attempt, enrollment_id, err);

	PEP_FAILPOINT("issued");
	return status;
}

/* A gateway that was touched is not left alone because the server stops: only the deadline ends that. */
static bool witness_cancelled(struct pep_witness *witness)
{
	const struct attempt *attempt = witness->ctx;

	return clock_boot_ms() >= attempt->deadline_boot_ms || (!attempt->contacted && atomic_load(attempt->provisioner->stopping));
}

/* --- the end: rows 9 to 12 --- */

static pep_status record_end(struct provisioner *provisioner, struct arena *arena, const char *serial,
			     const struct pep_identity *known, const struct machine_end *event, struct pep_error *err)
{
	struct record_change change = {.serial = serial, .known = known, .decide = decide_end, .event = event};
	const struct pep_identity *record;
	enum machine_verdict verdict;

	return record_change(provisioner->storage, arena, &change, &verdict, &record, err);
}

pep_status provision_record_delivery(struct provisioner *provisioner, struct arena *arena, const struct spool_entry *entry,
				     const struct pep_identity *known, const struct pep_identity **ret_record,
				     struct pep_error *err)
{
	char dispatch_id[25];
	struct machine_delivery event = {
		.attempt = entry->attempt, .enrollment_id = entry->enrollment_id, .dispatch_id = dispatch_id};
	struct record_change change = {.serial = entry->serial, .known = known, .decide = decide_delivery, .event = &event};
	struct machine_end taken = {.by = {entry->attempt, entry->nonce},
				    .kind = MACHINE_END_DOUBTFUL,
				    .reason = "id_taken: another record has this enrollment identity"};
	enum machine_verdict verdict;
	struct pep_error ignored = {0};
	pep_status status = storage_now(provisioner->storage, &event.now_ms, err);

	if (status != PEP_OK)
		return status;
	dispatch_next(&provisioner->dispatch, event.now_ms, dispatch_id);
	event.dispatch_id = arena_text(arena, dispatch_id);
	event.enrollment_id = arena_text(arena, entry->enrollment_id);
	if (!event.dispatch_id || !event.enrollment_id)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = record_change(provisioner->storage, arena, &change, &verdict, ret_record, err);
	if (status == PEP_CONFLICT)
		(void)record_end(provisioner, arena, entry->serial, NULL, &taken, &ignored);
	else if (status == PEP_OK && verdict != MACHINE_WRITE && verdict != MACHINE_ALREADY)
		return pep_fail(err, PEP_INTERNAL, 0, "serial %.64s has no attempt %u", entry->serial, (unsigned)entry->attempt);
	return status;
}

static void finish_delivered(struct attempt *attempt, const struct pep_injection *injection, struct provision_result *result)
{
	struct spool_entry entry = {.serial = attempt->fields->serial,
				    .nonce = attempt->nonce,
				    .enrollment_id = injection->enrollment_id,
				    .attempt = attempt->number};
	const struct pep_identity *record = NULL;
	pep_status status =
		provision_record_delivery(attempt->provisioner, attempt->arena, &entry, attempt->record, &record, &result->error);

	if (status == PEP_OK && record->state == PEP_DEPLOYED && record->contacted == attempt->number) {
		result->outcome = PROVISION_DEPLOYED;
		result->identity = record;
	} else if (status == PEP_OK) {
		result->outcome = PROVISION_IN_PROGRESS; /* a later attempt has contacted the gateway since */
	} else if (status == PEP_CONFLICT) {
		result->outcome = PROVISION_IN_DOUBT;
	} else {
		struct pep_error spool_error = {0};

		status = spool_put(attempt->provisioner->spool, &entry, &spool_error);
		result->outcome = status == PEP_OK ? PROVISION_RECORDED_LOCALLY : PROVISION_UNRECORDED;
		if (status != PEP_OK)
			result->error = spool_error;
	}
}

/* Why it did not work, from what the injector returned. */
static enum provision_outcome outcome_of_status(const struct attempt *attempt, pep_status status)
{
	if (attempt->witness_status == PEP_CONFLICT)
		return PROVISION_IN_PROGRESS;
	if (attempt->witness_status == PEP_INTERNAL)
		return PROVISION_FAILED;
	if (attempt->witness_status != PEP_OK)
		return PROVISION_STORAGE_UNAVAILABLE;
	switch (status) {
	case PEP_UNAVAILABLE:
		return PROVISION_UNREACHABLE;
	case PEP_CONFLICT:
		return PROVISION_REFUSED;
	case PEP_TIMEOUT:
		return PROVISION_TIMEOUT;
	case PEP_CANCELLED:
		return attempt->contacted || !atomic_load(attempt->provisioner->stopping) ? PROVISION_TIMEOUT : PROVISION_DRAINING;
	default:
		return PROVISION_FAILED;
	}
}

static const char *code_of(enum provision_outcome outcome)
{
	switch (outcome) {
	case PROVISION_UNREACHABLE:
		return "gateway_unreachable";
	case PROVISION_REFUSED:
		return "gateway_refused";
	case PROVISION_TIMEOUT:
		return "injector_timeout";
	case PROVISION_DRAINING:
		return "draining";
	case PROVISION_IN_DOUBT:
		return "in_doubt";
	case PROVISION_STORAGE_UNAVAILABLE:
		return "storage_unavailable";
	default:
		return "injector_failed";
	}
}

static void finish_otherwise(struct attempt *attempt, pep_status status, const struct pep_injection *injection,
			     struct provision_result *result)
{
	struct machine_end event = {.by = {attempt->number, attempt->nonce}};
	struct pep_error ignored = {0};
	const char *detail = injection->detail[0] ? injection->detail : result->error.message;

	result->outcome = outcome_of_status(attempt, status);
	if (injection->outcome == PEP_REFUSED) {
		event.kind = MACHINE_END_REFUSED;
	} else if (injection->outcome == PEP_NOT_SENT) {
		event.kind = MACHINE_END_NOT_SENT;
	} else { /* doubtful, or a plugin that does not say */
		event.kind = MACHINE_END_DOUBTFUL;
		event.enrollment_id = injection->enrollment_id[0] ? injection->enrollment_id : NULL;
		result->outcome = PROVISION_IN_DOUBT;
		(void)snprintf(result->enrollment_id, sizeof(result->enrollment_id), "%s", injection->enrollment_id);
	}
	event.reason = arena_format(attempt->arena, "%s: %s", code_of(result->outcome), detail);
	/* Lost is not wrong: the lease ends by itself, and row 13 says what is known. */
	if (result->outcome != PROVISION_IN_PROGRESS)
		(void)record_end(attempt->provisioner, attempt->arena, attempt->fields->serial, attempt->record, &event, &ignored);
}

static void inject(struct attempt *attempt, const struct pep_target *target, struct provision_result *result)
{
	struct provisioner *provisioner = attempt->provisioner;
	struct pep_witness witness = {.struct_size = sizeof(witness),
				      .ctx = attempt,
				      .contacted = witness_contacted,
				      .issued = witness_issued,
				      .cancelled = witness_cancelled};
	struct pep_injection injection = {.struct_size = sizeof(injection)};
	/* The injector sees the claim's numbers with the request's fields: a claim keeps those of the attempt before. */
	struct pep_identity id = *attempt->fields;
	int64_t timeout_ms = attempt->deadline_boot_ms - clock_boot_ms();
	pep_status status;

	id.struct_size = sizeof(id);
	id.state = attempt->record->state;
	id.revision = attempt->record->revision;
	id.attempt = attempt->number;
	id.generation = attempt->record->generation;
	id.nonce = attempt->nonce;
	id.owner = attempt->record->owner;
	status = injector_inject(provisioner->injector, target, &id, timeout_ms > 1 ? timeout_ms : 1, &witness, &injection,
				 &result->error);
	PEP_FAILPOINT("injected");
	if (injection.outcome == PEP_DELIVERED)
		finish_delivered(attempt, &injection, result);
	else
		finish_otherwise(attempt, status, &injection, result);
	if (result->outcome != PROVISION_UNRECORDED)
		injector_forget(provisioner->injector, &id);
}

/* A claim, or a look at what it would get, was answered: not ours, or no answer. */
static void finish_unclaimed(const struct attempt *attempt, pep_status status, enum machine_verdict verdict,
			     struct provision_result *result)
{
	if (status == PEP_NO_MEMORY || verdict == MACHINE_NO_MEMORY)
		result->outcome = PROVISION_NO_MEMORY;
	else if (status != PEP_OK)
		result->outcome = PROVISION_STORAGE_UNAVAILABLE;
	else
		result->outcome = outcome_of_claim(verdict);
	result->identity = attempt->record;
}

static void run_attempt(struct attempt *attempt, const struct pep_target *target, struct provision_result *result)
{
	enum machine_verdict verdict = MACHINE_REFUSED;
	pep_status status;

	attempt->deadline_boot_ms = clock_boot_ms() + attempt->provisioner->injection_timeout_ms;
	status = claim(attempt, &verdict, &result->error);
	if (status == PEP_OK && verdict == MACHINE_WRITE)
		inject(attempt, target, result);
	else
		finish_unclaimed(attempt, status, verdict, result);
}

void provision_identity(struct provisioner *provisioner, struct arena *arena, const struct provision_request *request,
			struct provision_result *ret_result)
{
	char nonce[33];
	struct attempt attempt = {.provisioner = provisioner, .arena = arena, .fields = &request->fields, .nonce = nonce};
	struct endpoint endpoint = {.ip = request->target.ip, .port = request->target.port, .serial = request->fields.serial};
	enum machine_verdict verdict = MACHINE_REFUSED;
	enum endpoints_answer held;
	pep_status status;

	*ret_result = (struct provision_result){.outcome = PROVISION_DRAINING};
	if (atomic_load(provisioner->stopping))
		return;
	text_random(16, nonce);
	status = peek(&attempt, &verdict, &ret_result->error);
	if (status != PEP_OK || verdict != MACHINE_WRITE) {
		finish_unclaimed(&attempt, status, verdict, ret_result);
		return;
	}
	held = endpoints_hold(&provisioner->endpoints, &endpoint);
	if (held != ENDPOINTS_HELD) {
		ret_result->outcome = held == ENDPOINTS_SAME_SERIAL ? PROVISION_IN_PROGRESS : PROVISION_ENDPOINT_BUSY;
		return;
	}
	run_attempt(&attempt, &request->target, ret_result);
	endpoints_release(&provisioner->endpoints, &endpoint);
}
