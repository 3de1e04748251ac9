/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/operate.h"

#include "core/service/record.h"

static enum machine_verdict decide_resolve(struct arena *arena, const struct pep_identity *record, const void *event,
					   struct pep_identity *next)
{
	(void)arena;
	return record ? machine_resolve(record, event, next) : MACHINE_NOT_MINE;
}

static enum machine_verdict decide_retire(struct arena *arena, const struct pep_identity *record, const void *event,
					  struct pep_identity *next)
{
	(void)arena;
	return record ? machine_retire(record, event, next) : MACHINE_NOT_MINE;
}

static pep_status rehearse(struct storage *storage, struct arena *arena, const struct record_change *change,
			   enum machine_verdict *ret_verdict, const struct pep_identity **ret_record, struct pep_error *err)
{
	const struct pep_identity *record = NULL;
	struct pep_identity unused;
	pep_status status = storage_get(storage, arena, change->serial, &record, err);

	if (status != PEP_OK)
		return status;
	*ret_verdict = change->decide(arena, record, change->event, &unused);
	*ret_record = record;
	return PEP_OK;
}

pep_status operate_resolve(struct provisioner *provisioner, struct arena *arena, const struct operate_resolve *resolve,
			   enum machine_verdict *ret_verdict, const struct pep_identity **ret_record, struct pep_error *err)
{
	struct machine_resolve event = resolve->event;
	struct record_change change = {.serial = resolve->serial, .decide = decide_resolve, .event = &event};
	char dispatch_id[25];
	pep_status status = storage_now(provisioner->storage, &event.now_ms, err);

	if (status != PEP_OK)
		return status;
	if (resolve->is_rehearsal)
		return rehearse(provisioner->storage, arena, &change, ret_verdict, ret_record, err);
	dispatch_next(&provisioner->dispatch, event.now_ms, dispatch_id);
	event.dispatch_id = arena_text(arena, dispatch_id);
	if (!event.dispatch_id)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = record_change(provisioner->storage, arena, &change, ret_verdict, ret_record, err);
	if (status == PEP_OK && *ret_verdict == MACHINE_WRITE && event.deployed && provisioner->deployed)
		provisioner->deployed(provisioner->deployed_context);
	return status;
}

pep_status operate_retire(struct provisioner *provisioner, struct arena *arena, const struct operate_retire *retire,
			  enum machine_verdict *ret_verdict, const struct pep_identity **ret_record, struct pep_error *err)
{
	struct record_change change = {.serial = retire->serial, .decide = decide_retire, .event = retire->reason};

	return retire->is_rehearsal ? rehearse(provisioner->storage, arena, &change, ret_verdict, ret_record, err)
				    : record_change(provisioner->storage, arena, &change, ret_verdict, ret_record, err);
}
