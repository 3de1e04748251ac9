/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/record.h"

#include "core/base/failpoint.h"
#include "core/base/text.h"

/* Each round loses against a write of somebody else to the same serial: far more than can happen by chance. */
#define ROUNDS 100

/* After a lost answer: is what we wrote what is there? */
static bool is_written(const struct pep_identity *there, const struct pep_identity *ours)
{
	return there && there->revision > ours->revision && there->state == ours->state && there->attempt == ours->attempt &&
	       there->contacted == ours->contacted && text_equal(there->nonce, ours->nonce) &&
	       text_equal(there->enrollment_id, ours->enrollment_id) && text_equal(there->dispatch_id, ours->dispatch_id) &&
	       text_equal(there->history, ours->history);
}

static pep_status write_next(struct storage *storage, struct pep_identity *next, struct pep_error *err)
{
	pep_status status;

	PEP_FAILPOINT("before-write");
	status = next->revision ? storage_update(storage, next, err) : storage_insert(storage, next, err);
	PEP_FAILPOINT("after-write");
	if (status == PEP_OK)
		next->revision++;
	return status;
}

pep_status record_change(struct storage *storage, struct arena *arena, const struct record_change *change,
			 enum machine_verdict *ret_verdict, const struct pep_identity **ret_record, struct pep_error *err)
{
	const struct pep_identity *record = change->known;
	struct pep_identity *next = arena_zalloc(arena, sizeof(*next));
	int64_t refused_at = -1; /* the revision at which a write was refused */
	pep_status status = PEP_OK;

	if (!next)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	if (!record)
		status = storage_get(storage, arena, change->serial, &record, err);
	for (int round = 0; status == PEP_OK && round < ROUNDS; round++) {
		enum machine_verdict verdict = change->decide(arena, record, change->event, next);

		if (verdict == MACHINE_NO_MEMORY)
			return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
		*ret_verdict = verdict;
		*ret_record = record;
		if (verdict != MACHINE_WRITE)
			return PEP_OK;
		if (next->revision == refused_at)
			return pep_fail(err, PEP_CONFLICT, 0, "another record has this enrollment id");
		status = write_next(storage, next, err);
		if (status == PEP_OK) {
			*ret_record = next;
			return PEP_OK;
		}
		if (status == PEP_CONFLICT) {
			/* An insert that lost: the serial is there now. */
			refused_at = next->revision ? next->revision : -1;
			status = storage_get(storage, arena, change->serial, &record, err);
		} else if (status != PEP_UNAVAILABLE) { /* only that says for certain that it was not done */
			const struct pep_identity *there = NULL;

			if (storage_get(storage, arena, change->serial, &there, err) != PEP_OK || !is_written(there, next))
				return PEP_UNKNOWN;
			*ret_record = there;
			return PEP_OK;
		}
	}
	/* Whatever a read said, this change has not been made. */
	return status == PEP_OK
		       ? pep_fail(err, PEP_UNAVAILABLE, 0, "serial %.64s is changed by others all the time", change->serial)
		       : PEP_UNAVAILABLE;
}
