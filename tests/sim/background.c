/* SPDX-License-Identifier: Apache-2.0
 *
 * background.c - what a server does beside its requests: its spool, its reaper, and being killed and started.
 */
#include "tests/sim/world.h"

void spool_put(struct world *world, int server, int run)
{
	struct server *mine = &world->servers[server];

	world_trace(world, "server %d: run %d goes to the spool", server, run);
	if (!mine->spool[run])
		mine->spool_count++;
	mine->spool[run] = true;
	world->runs[run].delivered = true;
}

void spool_remove(struct world *world, int server, int run)
{
	struct server *mine = &world->servers[server];

	if (!mine->spool[run])
		return;
	world_trace(world, "server %d: run %d leaves the spool", server, run);
	mine->spool[run] = false;
	mine->spool_count--;
}

static void spooler_take(struct world *world, int server)
{
	struct server *mine = &world->servers[server];
	struct look *look = &mine->spooler;

	look->run = 1;
	while (!mine->spool[look->run])
		look->run++;
	look->taken = store_read(world, &look->seen, &look->exists) == PEP_OK && look->exists;
	if (look->taken && world->mutant == MUTANT_SPOOL_EARLY)
		spool_remove(world, server, look->run);
}

/* Removed only when a read or PEP_OK shows that it is there. */
static void spooler_settle(struct world *world, int server)
{
	struct look *look = &world->servers[server].spooler;
	struct pep_identity record;

	look->taken = false;
	if ((world->mutant != MUTANT_GIVE_TWICE && machine_has_delivery(&look->seen, world->runs[look->run].attempt)) ||
	    record_deliver(world, &look->seen, look->run, &record) == PEP_OK)
		spool_remove(world, server, look->run);
}

bool spooler_step(struct world *world, int server)
{
	const struct server *mine = &world->servers[server];

	if (mine->down || (mine->spool_count == 0 && !mine->spooler.taken))
		return false;
	if (mine->spooler.taken)
		spooler_settle(world, server);
	else
		spooler_take(world, server);
	return true;
}

static bool reaper_look(struct world *world, struct look *look)
{
	const struct pep_identity *record = &world->store.record;

	if (!world->store.exists || record->lease_until_ms == 0 || record->lease_until_ms > world->now_ms)
		return false; /* not in its list of ended leases */
	look->now_ms = world->now_ms;
	look->taken = store_read(world, &look->seen, &look->exists) == PEP_OK && look->exists;
	return true;
}

bool reaper_step(struct world *world, int server)
{
	struct look *look = &world->servers[server].reaper;
	struct machine_lapse event = {.now_ms = world->mutant == MUTANT_LEASE_FOREVER ? 0 : look->now_ms,
				      .opaque = world->kind == OPAQUE && world->mutant != MUTANT_TOOL_IS_NATIVE};
	struct pep_identity next;

	if (world->servers[server].down)
		return false;
	if (!look->taken)
		return reaper_look(world, look);
	look->taken = false;
	if (machine_lapse(&look->seen, &event, &next) == MACHINE_WRITE)
		(void)store_write(world, &next);
	return true;
}

static void kill_server(struct world *world, int server)
{
	struct server *mine = &world->servers[server];
	struct request request = mine->worker.request;

	world_trace(world, "server %d: killed in phase %d", server, (int)mine->worker.phase);
	if (mine->worker.run && world->kind != OPAQUE)
		gateway_hang_up(world, mine->worker.run);
	if (mine->worker.phase != PHASE_IDLE)
		client_answer(world, &request, 0, 0);
	mine->down = true;
	mine->worker = (struct worker){.request = {.client = -1}};
	mine->spooler.taken = false;
	mine->reaper.taken = false;
}

/* Own earlier attempts end at once, unless a runner still has one. */
static void start_server(struct world *world, int server)
{
	struct server *mine = &world->servers[server];

	mine->down = false;
	if (mine->start < STARTS - 1)
		mine->start++;
	world_trace(world, "server %d: start %d", server, mine->start);
	if (mine->tool.state != TOOL_NONE)
		worker_adopt(world, server);
	else
		mine->worker = (struct worker){.phase = PHASE_RECOVER_READ, .request = {.client = -1}};
}

bool power_step(struct world *world, int server)
{
	struct server *mine = &world->servers[server];

	if (mine->down) {
		start_server(world, server);
		return true;
	}
	if (!world_fault(world, &world->faults.crashes, 12))
		return false;
	kill_server(world, server);
	return true;
}
