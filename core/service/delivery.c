/* SPDX-License-Identifier: Apache-2.0
 *
 * delivery.c - how an attempt ended, written into the record: rows 9 to 12. Also for outcomes out of the spool.
 */
#include "core/service/provision.h"
#include "core/service/record.h"

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

bool provision_record_end(struct provisioner *provisioner, struct arena *arena, const char *serial,
			  const struct pep_identity *known, const struct machine_end *event, struct pep_error *err)
{
	struct record_change change = {.serial = serial, .known = known, .decide = decide_end, .event = event};
	const struct pep_identity *record;
	enum machine_verdict verdict;
	pep_status status = record_change(provisioner->storage, arena, &change, &verdict, &record, err);

	return status == PEP_OK && (verdict == MACHINE_WRITE || verdict == MACHINE_ALREADY);
}

/* The gateway's enrollment identity stands in another record, so this one cannot have it: a person must look. */
static pep_status record_taken(struct provisioner *provisioner, struct arena *arena, const struct spool_entry *entry,
			       struct pep_error *err)
{
	struct machine_end taken = {
		.by = {entry->attempt, entry->nonce},
		.kind = MACHINE_END_DOUBTFUL,
		.reason =
			arena_format(arena, "id_taken: the gateway reported %s, which is in another record", entry->enrollment_id),
	};
	struct pep_error why = {0};

	if (!taken.reason)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	if (!provision_record_end(provisioner, arena, entry->serial, NULL, &taken, &why))
		return pep_fail(err, PEP_UNKNOWN, 0,
				"serial %.64s has an enrollment id that is taken, and that cannot be noted: %.300s", entry->serial,
				why.message);
	return PEP_CONFLICT;
}

pep_status provision_record_delivery(struct provisioner *provisioner, struct arena *arena, const struct spool_entry *entry,
				     const struct pep_identity *known, const struct pep_identity **ret_record,
				     struct pep_error *err)
{
	char dispatch_id[25];
	struct machine_delivery event = {.attempt = entry->attempt, .owner = provisioner->owner};
	struct record_change change = {.serial = entry->serial, .known = known, .decide = decide_delivery, .event = &event};
	enum machine_verdict verdict;
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
		return record_taken(provisioner, arena, entry, err);
	if (status == PEP_OK && verdict == MACHINE_WRITE && provisioner->deployed)
		provisioner->deployed(provisioner->deployed_context);
	if (status == PEP_OK && verdict != MACHINE_WRITE && verdict != MACHINE_ALREADY)
		return pep_fail(err, PEP_INTERNAL, 0, "serial %.64s has no attempt %u", entry->serial, (unsigned)entry->attempt);
	return status;
}
