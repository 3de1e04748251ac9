/* SPDX-License-Identifier: Apache-2.0
 *
 * witness.c - what the core has to say while an injection runs: rows 7 and 8, and whether to give up.
 */
#include "core/service/attempt.h"

#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/service/record.h"

#include <string.h>

enum { ENROLLMENT_ID_ROOM = sizeof(((struct pep_injection *)NULL)->enrollment_id) };

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

bool attempt_is_enrollment_id(const char *text)
{
	size_t size = strnlen(text, ENROLLMENT_ID_ROOM);

	for (size_t i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return size > 0 && size < ENROLLMENT_ID_ROOM;
}

/* *ret_copy outlives the injector's own text. */
static pep_status take_enrollment_id(struct attempt *attempt, const char *text, const char **ret_copy, struct pep_error *err)
{
	if (!attempt_is_enrollment_id(text))
		return pep_fail(err, PEP_INTERNAL, 0,
				"the injector made an enrollment identity that is empty, too long or not ASCII");
	*ret_copy = arena_text(attempt->arena, text);
	return *ret_copy ? PEP_OK : pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
}

static pep_status witness_answer(struct attempt *attempt, pep_status status, enum machine_verdict verdict, struct pep_error *err)
{
	if (status == PEP_CONFLICT)
		status = PEP_INTERNAL; /* not a race: another record has this enrollment identity */
	else if (status == PEP_OK && verdict == MACHINE_REFUSED)
		status = pep_fail(
			err, PEP_INTERNAL, 0,
			"serial %.64s cannot take this step: its history cannot be read, or the injector made two certificates",
			attempt->fields->serial);
	else if (status == PEP_OK && verdict != MACHINE_WRITE && verdict != MACHINE_ALREADY)
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
					.opaque = injector_is_opaque(provisioner->injector)};
	struct record_change change = {
		.serial = attempt->fields->serial, .known = attempt->record, .decide = decide_contact, .event = &event};
	enum machine_verdict verdict = MACHINE_REFUSED;
	pep_status status = storage_now(provisioner->storage, &event.now_ms, err);

	if (status == PEP_OK && enrollment_id)
		status = take_enrollment_id(attempt, enrollment_id, &event.enrollment_id, err);
	if (status == PEP_OK)
		status = record_change(provisioner->storage, attempt->arena, &change, &verdict, &attempt->record, err);
	status = witness_answer(attempt, status, verdict, err);
	if (status == PEP_OK)
		atomic_store(&attempt->contacted, true);
	return status;
}

static pep_status issue(struct attempt *attempt, const char *enrollment_id, struct pep_error *err)
{
	struct provisioner *provisioner = attempt->provisioner;
	struct machine_issue event = {.by = {attempt->number, attempt->nonce}, .lease_ms = provisioner->lease_ms};
	struct record_change change = {
		.serial = attempt->fields->serial, .known = attempt->record, .decide = decide_issue, .event = &event};
	enum machine_verdict verdict = MACHINE_REFUSED;
	pep_status status = storage_now(provisioner->storage, &event.now_ms, err);

	if (status == PEP_OK)
		status = take_enrollment_id(attempt, enrollment_id, &event.enrollment_id, err);
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
	const char *id = enrollment_id ? enrollment_id : ""; /* which is refused */
	pep_status status = attempt->contacted ? issue(attempt, id, err) : contact(attempt, id, err);

	PEP_FAILPOINT("issued");
	return status;
}

/* A gateway that was touched is not left alone because the server stops: only the deadline ends that. */
static bool witness_cancelled(struct pep_witness *witness)
{
	const struct attempt *attempt = witness->ctx;

	return clock_boot_ms() >= attempt->deadline_boot_ms || (!attempt->contacted && atomic_load(attempt->provisioner->stopping));
}

struct pep_witness attempt_witness(struct attempt *attempt)
{
	return (struct pep_witness){.struct_size = sizeof(struct pep_witness),
				    .ctx = attempt,
				    .contacted = witness_contacted,
				    .issued = witness_issued,
				    .cancelled = witness_cancelled};
}
