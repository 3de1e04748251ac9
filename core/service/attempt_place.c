/* SPDX-License-Identifier: Apache-2.0
 *
 * attempt_place.c - the place of an attempt in a production order.
 */
#include "core/service/attempt.h"

#include "core/base/failpoint.h"

#include <string.h>

/* What an order decides wins over what the request says: the old tool sends its own defaults always. The digest of the request stays, so
 * that a retry is known again whatever becomes of the order. */
static bool take_profile(struct attempt *attempt)
{
	struct pep_identity *fields = arena_alloc(attempt->arena, sizeof(*fields));

	if (!fields)
		return false;
	*fields = *attempt->fields;
	for (size_t i = 0; i < ORDER_FIELD_COUNT; i++)
		if (attempt->place.fields[i])
			memcpy((char *)fields + order_fields[i].member, &attempt->place.fields[i], sizeof(const char *));
	attempt->fields = fields;
	return true;
}

static enum provision_outcome refuse_place(const struct attempt *attempt, enum orders_verdict verdict, struct pep_error *err)
{
	if (verdict == ORDERS_NOT_EXPECTED) {
		(void)pep_fail(err, PEP_NOT_FOUND, 0, "no order expects serial number %.64s now", attempt->fields->serial);
		return PROVISION_NOT_EXPECTED;
	}
	(void)pep_fail(err, PEP_LIMIT, 0,
		       verdict == ORDERS_FULL ? "order %.64s is full: all of its %lld are given out, or about to be"
					      : "order %.64s of %lld has too many units that nobody knows the outcome of; "
						"resolve or retire them",
		       attempt->place.name, (long long)attempt->place.quantity);
	return PROVISION_QUOTA;
}

/* Not asked for what a grant replaces, or had begun to: it was counted in its first life. */
enum provision_outcome attempt_look_for_place(struct attempt *attempt, struct pep_error *err)
{
	struct provisioner *provisioner = attempt->provisioner;
	enum orders_verdict verdict = ORDERS_FREE;
	pep_status status = PEP_OK;

	if (provisioner->orders && !attempt->replace && !(attempt->record && attempt->record->generation > 1))
		status = orders_admit(provisioner->orders, attempt->arena, attempt->fields->serial, &verdict, &attempt->place, err);
	if (status != PEP_OK)
		return status == PEP_NO_MEMORY ? PROVISION_NO_MEMORY : PROVISION_STORAGE_UNAVAILABLE;
	if (verdict == ORDERS_FREE)
		return 0;
	if (verdict != ORDERS_EXPECTED)
		return refuse_place(attempt, verdict, err);
	return take_profile(attempt) ? 0 : PROVISION_NO_MEMORY;
}

enum provision_outcome attempt_take_place(struct attempt *attempt, struct pep_error *err)
{
	struct machine_end event = {.by = {attempt->number, attempt->nonce}, .kind = MACHINE_END_NOT_SENT};
	enum provision_outcome outcome = PROVISION_STORAGE_UNAVAILABLE;
	enum orders_verdict verdict = ORDERS_EXPECTED;
	struct pep_error ignored = {0};
	pep_status status = PEP_OK;

	if (attempt->place.name)
		status = orders_hold(attempt->provisioner->orders, &attempt->place, attempt->fields->serial, attempt->number,
				     &verdict, err);
	PEP_FAILPOINT("held");
	if (status == PEP_OK && verdict == ORDERS_EXPECTED)
		return 0;
	if (status == PEP_OK)
		outcome = refuse_place(attempt, verdict, err);
	event.reason = attempt_reason(attempt->arena, outcome, err->message);
	(void)provision_record_end(attempt->provisioner, attempt->arena, attempt->fields->serial, attempt->record, &event,
				   &ignored);
	return outcome;
}
