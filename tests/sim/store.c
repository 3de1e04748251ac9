/* SPDX-License-Identifier: Apache-2.0
 *
 * store.c - one record that is compared and swapped, and answers that get lost.
 */
#include "tests/sim/world.h"

#include "core/base/identity.h"

#include <inttypes.h>

pep_status store_read(struct world *world, struct pep_identity *ret_record, bool *ret_exists)
{
	if (world_fault(world, &world->faults.outages, 12)) {
		world_trace(world, "store: away for a read");
		return PEP_UNAVAILABLE;
	}
	*ret_record = world->store.record;
	*ret_exists = world->store.exists;
	return PEP_OK;
}

static bool fits(const struct world *world, const struct pep_identity *next)
{
	const struct store *store = &world->store;

	if (world->mutant == MUTANT_NO_CAS)
		return true;
	return next->revision == 0 ? !store->exists : store->exists && store->record.revision == next->revision;
}

static void apply(struct world *world, const struct pep_identity *next)
{
	check_change(world, next);
	world->store.exists = true;
	world->store.record = *next;
	world->store.record.revision++;
	world_trace(world,
		    "store: revision %" PRId64 " %s, before %s, attempt %u, contacted %u, enrollment %s, dispatch %s, history %s",
		    next->revision + 1, identity_state_name(next->state), identity_state_name(next->before), next->attempt,
		    next->contacted, next->enrollment_id ? next->enrollment_id : "-", next->dispatch_id ? next->dispatch_id : "-",
		    next->history ? next->history : "-");
}

/* The answer is lost; the write is applied now, later or never. */
static pep_status lose_answer(struct world *world, const struct pep_identity *next)
{
	struct store *store = &world->store;
	unsigned fate = world_random(world, 3);

	world_trace(world, "store: the answer to a write of %s is lost, fate %u", identity_state_name(next->state), fate);
	if (fate == 0 && fits(world, next))
		apply(world, next);
	if (fate == 1 && store->pending_count < PENDING)
		store->pending[store->pending_count++] = *next;
	return PEP_UNKNOWN;
}

pep_status store_write(struct world *world, const struct pep_identity *next)
{
	if (world_fault(world, &world->faults.outages, 8)) {
		world_trace(world, "store: away for a write of %s", identity_state_name(next->state));
		return PEP_UNAVAILABLE;
	}
	if (world_fault(world, &world->faults.lost_writes, 6))
		return lose_answer(world, next);
	if (!fits(world, next))
		return PEP_CONFLICT;
	apply(world, next);
	return PEP_OK;
}

void store_delete(struct world *world)
{
	world->store.exists = false;
	world->store.record = (struct pep_identity){0};
}

bool store_step(struct world *world)
{
	struct store *store = &world->store;
	struct pep_identity next;
	int which;

	if (store->pending_count == 0 || (!world->calm && world_random(world, 4) != 0))
		return false;
	which = (int)world_random(world, (unsigned)store->pending_count);
	next = store->pending[which];
	store->pending[which] = store->pending[--store->pending_count];
	if (fits(world, &next)) {
		world_trace(world, "store: a lost write comes late");
		apply(world, &next);
	}
	return true;
}
