/* SPDX-License-Identifier: Apache-2.0
 *
 * schedule.c - one schedule: a world made from a seed, a time of faults, a time of calm, and the rules after every step.
 */
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	FAULT_STEPS = 160,   /* at most; calm begins after a part of them */
	CALM_STEPS = 4000,   /* far more than are needed */
	CALM_CLAIMS = 6,     /* a retry ends within so many claims after the last fault */
	FEW_RUNS = RUNS / 2, /* so many are left for the calm */
};

const char *const mutant_names[MUTANTS + 1] = {
	[MUTANT_NONE] = "none",
	[MUTANT_TOUCH_FIRST] = "touch-first",
	[MUTANT_LATE_RECORD] = "late-record",
	[MUTANT_FENCE_FACTS] = "fence-facts",
	[MUTANT_DELETE_ON_FAIL] = "delete-on-fail",
	[MUTANT_UNKNOWN_IS_FAILED] = "unknown-is-failed",
	[MUTANT_UNKNOWN_IS_DEPLOYED] = "unknown-is-deployed",
	[MUTANT_SPOOL_EARLY] = "spool-early",
	[MUTANT_NO_READBACK] = "no-readback",
	[MUTANT_NO_CAS] = "no-cas",
	[MUTANT_OVER_CONTACTED] = "over-contacted",
	[MUTANT_UNSENT_FAILED] = "unsent-failed",
	[MUTANT_GIVE_TWICE] = "give-twice",
	[MUTANT_RESOLVE_EARLY] = "resolve-early",
	[MUTANT_STALE_EVIDENCE] = "stale-evidence",
	[MUTANT_TOOL_OUTLIVES] = "tool-outlives",
	[MUTANT_TOOL_IS_NATIVE] = "tool-is-native",
	[MUTANT_GRANT_ANY] = "grant-any",
	[MUTANT_LEASE_FOREVER] = "lease-forever",
};

void names_init(struct names *names)
{
	for (int i = 0; i < RUNS; i++) {
		(void)snprintf(names->nonce[i], sizeof(names->nonce[i]), "N-%02d", i);
		(void)snprintf(names->enrollment[i], sizeof(names->enrollment[i]), "A-%02d", i);
	}
	for (int i = 0; i < DISPATCHES; i++)
		(void)snprintf(names->dispatch[i], sizeof(names->dispatch[i]), "D-%02d", i);
	for (int i = 0; i < KEYS; i++)
		(void)snprintf(names->key[i], sizeof(names->key[i]), "K-%02d", i);
	for (int i = 0; i < SERVERS; i++) {
		(void)snprintf(names->own_name[i], sizeof(names->own_name[i]), "s%d/", i);
		for (int start = 0; start < STARTS; start++)
			(void)snprintf(names->owner[i][start], sizeof(names->owner[i][start]), "s%d/%02d", i, start);
	}
}

int name_number(const char *name)
{
	return name ? (name[2] - '0') * 10 + (name[3] - '0') : 0;
}

/* splitmix64: any seed will do, also 0 and its neighbours. */
unsigned world_random(struct world *world, unsigned limit)
{
	uint64_t mixed = world->random += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	mixed ^= mixed >> 31;
	return (unsigned)(((mixed >> 32) * limit) >> 32);
}

bool world_fault(struct world *world, int *budget, unsigned odds)
{
	if (*budget <= 0 || world->calm || world_random(world, odds) != 0)
		return false;
	(*budget)--;
	return true;
}

void world_trace(struct world *world, const char *format, ...)
{
	va_list args;

	if (!world->trace)
		return;
	(void)printf("%6" PRIu64 " ", world->events);
	va_start(args, format);
	(void)vfprintf(stdout, format, args);
	va_end(args);
	(void)putchar('\n');
}

void world_violated(struct world *world, const char *format, ...)
{
	va_list args;

	if (world->violation[0])
		return;
	va_start(args, format);
	(void)vsnprintf(world->violation, sizeof(world->violation), format, args);
	va_end(args);
}

/* Half of the schedules do without a given fault, so that those which need few are not drowned. */
static int budget(struct world *world, unsigned most)
{
	return world_random(world, 2) ? 0 : 1 + (int)world_random(world, most);
}

static void make_world(struct world *world, const struct names *names, uint64_t seed)
{
	*world = (struct world){.random = seed, .names = names, .now_ms = 1000};
	world->kind = (enum kind)world_random(world, KINDS);
	world->server_count = world_random(world, 8) ? 2 + (int)world_random(world, SERVERS - 1) : 1;
	world->faults = (struct faults){
		.crashes = budget(world, 3),
		.expiries = budget(world, 3),
		.lost_writes = budget(world, 3),
		.outages = budget(world, 3),
		.lost_answers = budget(world, 3),
		.power_cuts = budget(world, 2),
		.timeouts = budget(world, 3),
		.grants = budget(world, 2),
		.resolves = budget(world, 2),
		.retires = world_random(world, 4) == 0,
		.second_requests = budget(world, 3),
	};
	for (int i = 0; i < SERVERS; i++)
		world->servers[i].worker.request.client = -1;
	world->clients[0].request = (struct request){.key = names->key[0], .digest = "first"};
}

/* One thing that could happen happens; false: this one could not. */
static bool act(struct world *world, unsigned actor)
{
	unsigned server = actor / 5;

	if (server < (unsigned)world->server_count) {
		switch (actor % 5) {
		case 0:
			return worker_step(world, (int)server);
		case 1:
			return spooler_step(world, (int)server);
		case 2:
			return reaper_step(world, (int)server);
		case 3:
			return tool_step(world, (int)server);
		default:
			return power_step(world, (int)server);
		}
	}
	switch (actor - 5 * (unsigned)world->server_count) {
	case 0:
		return gateway_step(world);
	case 1:
		return store_step(world);
	case 2:
		return client_step(world, 0);
	case 3:
		return client_step(world, 1);
	case 4:
		return operator_step(world);
	default:
		return clock_step(world);
	}
}

/* Somebody by chance; when nobody acts, whoever can. False: the world stands still. */
static bool step(struct world *world)
{
	unsigned actors = 5 * (unsigned)world->server_count + 6;

	for (unsigned i = 0; i < 4 * actors; i++) {
		if (act(world, world_random(world, actors)))
			return true;
	}
	for (unsigned i = 0; i < actors; i++) {
		if (act(world, i))
			return true;
	}
	return false;
}

static bool is_quiet(const struct world *world)
{
	if (world->clients[0].state != CLIENT_DONE || world->store.pending_count || world->store.record.lease_until_ms)
		return false;
	for (int i = 0; i < world->server_count; i++) {
		const struct server *server = &world->servers[i];

		if (server->down || server->worker.phase != PHASE_IDLE || server->spool_count || server->tool.state != TOOL_NONE)
			return false;
	}
	return true;
}

static void play(struct world *world)
{
	unsigned fault_steps = FAULT_STEPS / 4 + world_random(world, FAULT_STEPS * 3 / 4);

	for (unsigned i = 0; i < fault_steps && world->run_count < FEW_RUNS && !world->violation[0] && step(world); i++) {
		world->events++;
		check_world(world);
	}
	world->calm = true;
	world_trace(world, "calm");
	for (unsigned i = 0; i < CALM_STEPS && !world->violation[0] && !is_quiet(world) && step(world); i++) {
		world->events++;
		check_world(world);
		if (world->calm_claims > CALM_CLAIMS)
			world_violated(world, "live: more than %d claims since the last fault", CALM_CLAIMS);
	}
	if (!world->violation[0] && !is_quiet(world))
		world_violated(world, "live: retries do not come to an end");
	if (!world->violation[0])
		check_end(world);
}

bool schedule_play(struct world *world, const struct names *names, uint64_t seed, enum mutant mutant, bool trace)
{
	make_world(world, names, seed);
	world->mutant = mutant;
	world->trace = trace;
	play(world);
	arena_fini(&world->arena);
	return !world->violation[0];
}
