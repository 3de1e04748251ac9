/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/provision.h"

#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/service/attempt.h"
#include "core/service/grants.h"
#include "core/service/record.h"

#include <string.h>

/* --- claim: rows 1 to 5 --- */

static enum machine_verdict decide_request(struct arena *arena, const struct pep_identity *record, const void *event,
					   struct pep_identity *next)
{
	return machine_request(arena, record, event, next);
}

static pep_status prepare_claim(const struct attempt *attempt, struct machine_request *ret_event, struct pep_error *err)
{
	const struct provisioner *provisioner = attempt->provisioner;

	*ret_event = (struct machine_request){.fields = attempt->fields,
					      .nonce = attempt->nonce,
					      .owner = provisioner->owner,
					      .lease_ms = provisioner->lease_ms,
					      .opaque = injector_is_opaque(provisioner->injector),
					      .replace = attempt->replace};
	return storage_now(provisioner->storage, &ret_event->now_ms, err);
}

/* An idempotency key stands for one request: has it provisioned another serial? */
static pep_status look_for_key(struct attempt *attempt, enum machine_verdict *verdict, struct pep_error *err)
{
	const char *key = attempt->fields->idempotency_key;
	struct pep_scan_query query = {.struct_size = sizeof(query), .limit = 1, .state = PEP_DEPLOYED, .idempotency_key = key};
	const struct pep_identity *id = NULL;
	struct storage_scan *scan;
	pep_status status = storage_scan_open(attempt->provisioner->storage, &query, &scan, err);

	if (status != PEP_OK)
		return status;
	status = storage_scan_next(scan, &id, err);
	if (status == PEP_OK && id && text_equal(id->idempotency_key, key) && !text_equal(id->serial, attempt->fields->serial))
		*verdict = MACHINE_MISMATCH;
	storage_scan_close(scan);
	return status;
}

/* Row 6: may an operator's grant replace what the record has? */
static pep_status look_for_grant(struct attempt *attempt, enum machine_verdict *verdict, struct machine_request *event,
				 struct pep_error *err)
{
	struct pep_identity unused;
	json_t *grant = NULL;
	pep_status status =
		grants_find(attempt->provisioner->storage, attempt->fields->serial, attempt->record->enrollment_id, &grant, err);

	if (status != PEP_OK || !grant)
		return status;
	json_decref(grant);
	attempt->replace = event->replace = attempt->record->enrollment_id;
	*verdict = machine_request(attempt->arena, attempt->record, event, &unused);
	return PEP_OK;
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
	if (status == PEP_OK && *ret_verdict == MACHINE_EXISTS && attempt->provisioner->orders && attempt->record)
		status = look_for_grant(attempt, ret_verdict, &event, err);
	if (status == PEP_OK && *ret_verdict == MACHINE_WRITE && attempt->fields->idempotency_key)
		status = look_for_key(attempt, ret_verdict, err);
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

/* --- the end: rows 9 to 12 --- */

/* What the gateway holds, or may hold; NULL: the injector does not say it in a way that can be recorded, nor did it before. */
static const char *told_id(const struct attempt *attempt, const struct pep_injection *injection)
{
	const struct pep_identity *record = attempt->record;

	if (attempt_is_enrollment_id(injection->enrollment_id))
		return injection->enrollment_id;
	return record->contacted == attempt->number ? record->enrollment_id : NULL;
}

static void finish_delivered(struct attempt *attempt, const char *enrollment_id, struct provision_result *result)
{
	struct spool_entry entry = {.serial = attempt->fields->serial,
				    .nonce = attempt->nonce,
				    .enrollment_id = enrollment_id,
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
		(void)snprintf(result->enrollment_id, sizeof(result->enrollment_id), "%s", enrollment_id);
	} else {
		struct pep_error spool_error = {0};

		status = spool_put(attempt->provisioner->spool, &entry, &spool_error);
		result->outcome = status == PEP_OK ? PROVISION_RECORDED_LOCALLY : PROVISION_UNRECORDED;
		(void)snprintf(result->enrollment_id, sizeof(result->enrollment_id), "%s", enrollment_id);
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
	case PROVISION_QUOTA:
		return "quota";
	default:
		return "injector_failed";
	}
}

/* A plugin's sentence may be cut inside a character or hold what a record must not. */
const char *attempt_reason(struct arena *arena, enum provision_outcome outcome, const char *detail)
{
	char *reason = arena_format(arena, "%s: %s", code_of(outcome), detail);
	bool is_printable = !reason || text_is_printable(reason, strlen(reason));

	for (char *byte = reason; !is_printable && *byte; byte++)
		if (*byte < ' ' || *byte > '~')
			*byte = '?';
	return reason;
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
	} else { /* doubtful, or an injector that does not say */
		event.kind = MACHINE_END_DOUBTFUL;
		event.enrollment_id = told_id(attempt, injection);
		result->outcome = PROVISION_IN_DOUBT;
		if (event.enrollment_id)
			(void)snprintf(result->enrollment_id, sizeof(result->enrollment_id), "%s", event.enrollment_id);
	}
	event.reason = attempt_reason(attempt->arena, result->outcome, detail);
	/* Lost is not wrong: the lease ends by itself, and row 13 says what is known. */
	if (result->outcome != PROVISION_IN_PROGRESS)
		attempt->is_unrecorded = !provision_record_end(attempt->provisioner, attempt->arena, attempt->fields->serial,
							       attempt->record, &event, &ignored) &&
					 ignored.status != PEP_OK;
}

/* --- a tool that may outlive us --- */

static bool is_noted(const struct provisioner *provisioner)
{
	return provisioner->pending && injector_is_opaque(provisioner->injector);
}

static pep_status note_pending(const struct attempt *attempt, struct pep_error *err)
{
	const struct pending_entry entry = {.serial = attempt->fields->serial,
					    .nonce = attempt->nonce,
					    .owner = attempt->provisioner->owner,
					    .attempt = attempt->number};

	return is_noted(attempt->provisioner) ? pending_put(attempt->provisioner->pending, &entry, err) : PEP_OK;
}

/* Once its outcome is in storage or spool. If not, the next start asks the injector again. */
static void forget(const struct attempt *attempt, const struct pep_identity *id, enum provision_outcome outcome)
{
	struct provisioner *provisioner = attempt->provisioner;

	if (outcome == PROVISION_UNRECORDED || (attempt->is_unrecorded && is_noted(provisioner)))
		return;
	/* The note goes before the result: where there is a note and no result, the tool was never started. */
	if (is_noted(provisioner) && !pending_settle(provisioner->pending, attempt->nonce))
		return;
	PEP_FAILPOINT("settled");
	injector_forget(provisioner->injector, id);
	if (is_noted(provisioner))
		pending_remove(provisioner->pending, attempt->nonce);
}

static void inject(struct attempt *attempt, const struct pep_target *target, struct provision_result *result)
{
	struct provisioner *provisioner = attempt->provisioner;
	struct pep_witness witness = attempt_witness(attempt);
	struct pep_injection injection = {.struct_size = sizeof(injection)};
	/* The injector sees the claim's numbers with the request's fields: a claim keeps those of the attempt before. */
	struct pep_identity id = *attempt->fields;
	int64_t timeout_ms = attempt->deadline_boot_ms - clock_boot_ms();
	const char *enrollment_id = NULL;
	pep_status status;

	id.struct_size = sizeof(id);
	id.state = attempt->record->state;
	id.revision = attempt->record->revision;
	id.attempt = attempt->number;
	id.generation = attempt->record->generation;
	id.nonce = attempt->nonce;
	id.owner = attempt->record->owner;
	injection.outcome = PEP_NOT_SENT;
	status = note_pending(attempt, &result->error);
	if (status == PEP_OK)
		status = injector_inject(provisioner->injector, target, &id, timeout_ms > 1 ? timeout_ms : 1, &witness, &injection,
					 &result->error);
	PEP_FAILPOINT("injected");
	if (injection.outcome == PEP_DELIVERED)
		enrollment_id = told_id(attempt, &injection);
	if (enrollment_id)
		finish_delivered(attempt, enrollment_id, result);
	else
		finish_otherwise(attempt, status, &injection, result);
	forget(attempt, &id, result->outcome);
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
	if (result->outcome == PROVISION_REPLAYED)
		result->attempt = attempt->record->attempt;
}

static void run_attempt(struct attempt *attempt, const struct pep_target *target, struct provision_result *result)
{
	enum machine_verdict verdict = MACHINE_REFUSED;
	pep_status status;

	attempt->deadline_boot_ms = clock_boot_ms() + attempt->provisioner->injection_timeout_ms;
	status = claim(attempt, &verdict, &result->error);
	if (status != PEP_OK || verdict != MACHINE_WRITE) {
		finish_unclaimed(attempt, status, verdict, result);
		return;
	}
	result->attempt = attempt->number;
	result->outcome = attempt_take_place(attempt, &result->error);
	if (!result->outcome)
		inject(attempt, target, result);
	if (attempt->place.name)
		orders_settle(attempt->provisioner->orders, &attempt->place, attempt->fields->serial);
}

void provision_identity(struct provisioner *provisioner, struct arena *arena, const struct provision_request *request,
			struct provision_result *ret_result)
{
	char *nonce = arena_alloc(arena, 33); /* the record borrows it, and outlives this call */
	struct attempt attempt = {.provisioner = provisioner, .arena = arena, .fields = &request->fields, .nonce = nonce};
	struct endpoint endpoint = {.ip = request->target.ip, .port = request->target.port, .serial = request->fields.serial};
	enum machine_verdict verdict = MACHINE_REFUSED;
	enum endpoints_answer held;
	pep_status status;

	*ret_result = (struct provision_result){.outcome = nonce ? PROVISION_DRAINING : PROVISION_NO_MEMORY};
	if (!nonce || atomic_load(provisioner->stopping))
		return;
	text_random(16, nonce);
	status = peek(&attempt, &verdict, &ret_result->error);
	if (status != PEP_OK || verdict != MACHINE_WRITE) {
		finish_unclaimed(&attempt, status, verdict, ret_result);
		return;
	}
	ret_result->outcome = attempt_look_for_place(&attempt, &ret_result->error);
	if (ret_result->outcome)
		return;
	held = endpoints_hold(&provisioner->endpoints, &endpoint);
	if (held != ENDPOINTS_HELD) {
		ret_result->outcome = held == ENDPOINTS_SAME_SERIAL ? PROVISION_IN_PROGRESS : PROVISION_ENDPOINT_BUSY;
		return;
	}
	run_attempt(&attempt, &request->target, ret_result);
	endpoints_release(&provisioner->endpoints, &endpoint);
}
