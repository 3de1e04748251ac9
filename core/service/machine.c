/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/machine.h"

#include "core/base/text.h"
#include "core/service/history.h"

#include <string.h>

static const char reason_unsent[] = "lease_expired: the attempt ended without a trace before it sent anything";
static const char reason_unfinished[] = "lease_expired: the attempt ended without a trace, and no certificate had been issued";
static const char reason_unknown[] = "lease_expired: the attempt ended without a trace, and the gateway may hold its certificate";
static const char reason_superseded[] =
	"superseded: a later attempt had reached the gateway, or it was retired, when this was recorded";

static bool is_active(uint32_t state)
{
	return state == PEP_CLAIMED || state == PEP_CONTACTED || state == PEP_ISSUED;
}

/* What the record says of the attempt that contacted last: a claim is only a lock over it. */
static uint32_t standing(const struct pep_identity *record)
{
	return record->state == PEP_CLAIMED ? record->before : record->state;
}

static bool holds_claim(const struct pep_identity *record, const struct machine_attempt *by)
{
	return record->state == PEP_CLAIMED && record->attempt == by->attempt && text_equal(record->nonce, by->nonce);
}

/* Leaves the active states: nobody holds the serial any more. */
static void settle(struct pep_identity *next, uint32_t state, const char *reason)
{
	next->state = state;
	next->before = 0;
	next->lease_until_ms = 0;
	next->reason = reason;
}

/* Row 13, without its guard. */
static void lapse(struct pep_identity *next, bool opaque)
{
	if (next->state == PEP_CLAIMED)
		settle(next, next->before, reason_unsent);
	else if (next->state == PEP_CONTACTED && !opaque)
		settle(next, PEP_FAILED, reason_unfinished);
	else
		settle(next, PEP_IN_DOUBT, reason_unknown);
}

static void set_request(struct pep_identity *next, const struct pep_identity *fields)
{
	next->hardware_version = fields->hardware_version;
	next->radio_config = fields->radio_config;
	next->led_config = fields->led_config;
	next->category = fields->category;
	next->api_address = fields->api_address;
	next->gateway_services_address = fields->gateway_services_address;
	next->verification_key = fields->verification_key;
	next->ou = fields->ou;
	next->device_id = fields->device_id;
	next->ethernet_mac = fields->ethernet_mac;
	next->sixb_mac = fields->sixb_mac;
	next->idempotency_key = fields->idempotency_key;
	next->request_digest = fields->request_digest;
	next->station = fields->station;
	next->request_id = fields->request_id;
}

/* Rows 1, 2 and 6: only a lock. What the record says of the last contact stays until somebody contacts again. */
static void claim(struct pep_identity *next, const struct machine_request *event)
{
	next->before = next->state;
	next->state = PEP_CLAIMED;
	next->attempt++;
	next->nonce = event->nonce;
	next->owner = event->owner;
	next->lease_until_ms = event->now_ms + event->lease_ms;
}

/* Row 1. */
static struct pep_identity first_record(const struct machine_request *event)
{
	struct pep_identity record = {
		.struct_size = sizeof(record),
		.state = PEP_FAILED,
		.created_ms = event->now_ms,
		.generation = 1,
		.serial = event->fields->serial,
	};

	set_request(&record, event->fields);
	return record;
}

/* Rows 4 to 6: the record is deployed or retired. */
static enum machine_verdict request_settled(const struct pep_identity *record, const struct machine_request *event)
{
	const struct pep_identity *fields = event->fields;

	if (record->state == PEP_DEPLOYED && fields->idempotency_key &&
	    text_equal(record->idempotency_key, fields->idempotency_key))
		return text_equal(record->request_digest, fields->request_digest) ? MACHINE_REPLAY : MACHINE_MISMATCH;
	if (!event->replace || !text_equal(record->enrollment_id, event->replace))
		return MACHINE_EXISTS;
	return MACHINE_WRITE;
}

enum machine_verdict machine_request(struct arena *arena, const struct pep_identity *record, const struct machine_request *event,
				     struct pep_identity *ret_next)
{
	enum machine_verdict verdict = MACHINE_WRITE;
	struct pep_identity next;

	(void)arena; /* every text is borrowed */
	if (!record && event->replace)
		return MACHINE_REFUSED; /* a grant for what is not there */
	next = record ? *record : first_record(event);
	if (is_active(next.state)) {
		if (next.lease_until_ms > event->now_ms)
			return MACHINE_IN_PROGRESS;
		/* Before the decision: an unsent claim over a deployed identity must not let in what a deployed one keeps out. */
		lapse(&next, event->opaque);
	}
	if (next.state == PEP_DEPLOYED || next.state == PEP_RETIRED)
		verdict = request_settled(&next, event);
	if (verdict != MACHINE_WRITE)
		return verdict;
	claim(&next, event);
	*ret_next = next;
	return MACHINE_WRITE;
}

/* How the attempt `contacted` of a claimed record ended. */
static const char *ended(const struct pep_identity *record)
{
	if (record->before == PEP_DEPLOYED || record->dispatch_id)
		return HISTORY_DELIVERED;
	if (record->before == PEP_IN_DOUBT)
		return HISTORY_IN_DOUBT;
	return record->before == PEP_RETIRED ? HISTORY_RETIRED : HISTORY_FAILED;
}

/* The old contact goes into history if it may have left a certificate; what was never issued left none. */
static pep_status close_contact(struct arena *arena, const struct pep_identity *record, bool opaque, const char **ret_history)
{
	const struct history_entry entry = {
		.attempt = record->contacted,
		.generation = record->generation,
		.enrollment_id = record->enrollment_id,
		.dispatch_id = record->dispatch_id,
		.deployed_ms = record->deployed_ms,
		.ended = ended(record),
		.reason = record->reason,
	};

	*ret_history = record->history;
	if (record->contacted == 0 || (!record->enrollment_id && !opaque))
		return PEP_OK;
	return history_put(arena, record->history, &entry, ret_history);
}

static enum machine_verdict history_verdict(pep_status status)
{
	if (status == PEP_OK)
		return MACHINE_WRITE;
	return status == PEP_NO_MEMORY ? MACHINE_NO_MEMORY : MACHINE_REFUSED;
}

enum machine_verdict machine_contact(struct arena *arena, const struct pep_identity *record, const struct machine_contact *event,
				     struct pep_identity *ret_next)
{
	uint32_t state = event->enrollment_id ? PEP_ISSUED : PEP_CONTACTED;
	struct pep_identity next = *record;
	pep_status status;

	if (record->contacted == event->by.attempt && record->state == state &&
	    text_equal(record->enrollment_id, event->enrollment_id))
		return MACHINE_ALREADY;
	if (!holds_claim(record, &event->by))
		return MACHINE_NOT_MINE;
	status = close_contact(arena, record, event->opaque, &next.history);
	if (status != PEP_OK)
		return history_verdict(status);
	settle(&next, state, NULL);
	next.lease_until_ms = event->now_ms + event->lease_ms;
	next.contacted = event->by.attempt;
	next.enrollment_id = event->enrollment_id;
	next.dispatch_id = NULL;
	next.deployed_ms = 0;
	if (record->before == PEP_DEPLOYED || record->before == PEP_RETIRED)
		next.generation++;
	set_request(&next, event->fields);
	*ret_next = next;
	return MACHINE_WRITE;
}

enum machine_verdict machine_issue(const struct pep_identity *record, const struct machine_issue *event,
				   struct pep_identity *ret_next)
{
	struct pep_identity next = *record;

	if (holds_claim(record, &event->by))
		return MACHINE_REFUSED; /* not contacted yet: machine_contact() with the enrollment id */
	if (record->contacted != event->by.attempt)
		return MACHINE_NOT_MINE;
	if (record->state == PEP_ISSUED)
		return text_equal(record->enrollment_id, event->enrollment_id) ? MACHINE_ALREADY : MACHINE_REFUSED;
	if (record->state != PEP_CONTACTED)
		return MACHINE_NOT_MINE;
	next.state = PEP_ISSUED;
	next.enrollment_id = event->enrollment_id;
	next.lease_until_ms = event->now_ms + event->lease_ms;
	*ret_next = next;
	return MACHINE_WRITE;
}

bool machine_has_delivery(const struct pep_identity *record, uint32_t attempt)
{
	uint32_t state = standing(record);

	if (record->contacted == attempt) {
		if (state == PEP_DEPLOYED)
			return true;
		/* A dispatch id is given with `deployed` only. */
		if (state == PEP_RETIRED && record->dispatch_id)
			return true;
	}
	return history_delivered(record->history, attempt);
}

/* Row 9h. */
static enum machine_verdict deliver_late(struct arena *arena, const struct pep_identity *record,
					 const struct machine_delivery *event, struct pep_identity *ret_next)
{
	const struct history_entry entry = {
		.attempt = event->attempt,
		.enrollment_id = event->enrollment_id,
		.ended = HISTORY_DELIVERED,
		.reason = reason_superseded,
	};
	const char *history;
	pep_status status = history_put(arena, record->history, &entry, &history);

	if (status == PEP_OK) {
		*ret_next = *record;
		ret_next->history = history;
	}
	return history_verdict(status);
}

enum machine_verdict machine_deliver(struct arena *arena, const struct pep_identity *record, const struct machine_delivery *event,
				     struct pep_identity *ret_next)
{
	if (machine_has_delivery(record, event->attempt))
		return MACHINE_ALREADY;
	if (record->contacted < event->attempt || !event->enrollment_id)
		return MACHINE_REFUSED; /* from another life of this store: the spool keeps it for a person */
	if (record->contacted > event->attempt || standing(record) == PEP_RETIRED)
		return deliver_late(arena, record, event, ret_next);
	*ret_next = *record;
	settle(ret_next, PEP_DEPLOYED, NULL);
	ret_next->enrollment_id = event->enrollment_id;
	ret_next->dispatch_id = event->dispatch_id;
	ret_next->deployed_ms = event->now_ms;
	if (event->owner)
		ret_next->owner = event->owner;
	return MACHINE_WRITE;
}

/* Rows 11 and 12, of an attempt that is `contacted`. */
static enum machine_verdict end_contact(const struct pep_identity *record, const struct machine_end *event,
					struct pep_identity *ret_next)
{
	bool doubtful = event->kind == MACHINE_END_DOUBTFUL;
	/* What another server's reaper made of it may still learn its candidate. */
	bool learns = doubtful && !record->enrollment_id && event->enrollment_id;

	if (record->state == (doubtful ? PEP_IN_DOUBT : PEP_FAILED) && !learns)
		return MACHINE_ALREADY;
	if (record->state != PEP_CONTACTED && record->state != PEP_ISSUED && record->state != PEP_IN_DOUBT)
		return MACHINE_NOT_MINE;
	*ret_next = *record;
	settle(ret_next, doubtful ? PEP_IN_DOUBT : PEP_FAILED, event->reason);
	if (learns)
		ret_next->enrollment_id = event->enrollment_id;
	return MACHINE_WRITE;
}

enum machine_verdict machine_end(const struct pep_identity *record, const struct machine_end *event, struct pep_identity *ret_next)
{
	if (holds_claim(record, &event->by)) {
		if (event->kind != MACHINE_END_NOT_SENT)
			return MACHINE_REFUSED; /* nothing can be known of a gateway that was not contacted */
		*ret_next = *record;
		settle(ret_next, record->before, event->reason);
		return MACHINE_WRITE;
	}
	if (record->contacted != event->by.attempt)
		return MACHINE_NOT_MINE;
	return end_contact(record, event, ret_next);
}

static bool is_own_earlier(const struct pep_identity *record, const struct machine_lapse *event)
{
	return record->owner && event->own_name && strncmp(record->owner, event->own_name, strlen(event->own_name)) == 0 &&
	       !text_equal(record->owner, event->own_owner);
}

enum machine_verdict machine_lapse(const struct pep_identity *record, const struct machine_lapse *event,
				   struct pep_identity *ret_next)
{
	if (!is_active(record->state))
		return MACHINE_ALREADY;
	if (record->lease_until_ms > event->now_ms && !is_own_earlier(record, event))
		return MACHINE_IN_PROGRESS;
	*ret_next = *record;
	lapse(ret_next, event->opaque);
	return MACHINE_WRITE;
}

/* Is what the operator found enough to say so? */
static bool is_evidence(const struct pep_identity *record, const struct machine_resolve *event)
{
	const char *candidate = record->enrollment_id;
	const char *read = event->enrollment_id;

	if (!event->deployed)
		return event->gateway_read && event->program_ended && !(candidate && text_equal(candidate, read));
	if (candidate)
		return !read || text_equal(candidate, read);
	return read && history_attempt_of(record->history, read) == 0;
}

enum machine_verdict machine_resolve(const struct pep_identity *record, const struct machine_resolve *event,
				     struct pep_identity *ret_next)
{
	if (is_active(record->state))
		return MACHINE_IN_PROGRESS;
	if (record->state != PEP_IN_DOUBT || record->contacted != event->attempt || !is_evidence(record, event))
		return MACHINE_REFUSED;
	*ret_next = *record;
	settle(ret_next, event->deployed ? PEP_DEPLOYED : PEP_FAILED, event->reason);
	if (!event->deployed)
		return MACHINE_WRITE;
	if (!record->enrollment_id)
		ret_next->enrollment_id = event->enrollment_id;
	ret_next->dispatch_id = event->dispatch_id;
	ret_next->deployed_ms = event->now_ms;
	return MACHINE_WRITE;
}

enum machine_verdict machine_retire(const struct pep_identity *record, const char *reason, struct pep_identity *ret_next)
{
	if (is_active(record->state))
		return MACHINE_IN_PROGRESS;
	if (record->state == PEP_RETIRED)
		return MACHINE_ALREADY;
	*ret_next = *record;
	settle(ret_next, PEP_RETIRED, reason);
	return MACHINE_WRITE;
}
