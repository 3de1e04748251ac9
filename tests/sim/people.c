/* SPDX-License-Identifier: Apache-2.0
 *
 * people.c - who asks, who decides by hand, and the time. The first client wants its gateway provisioned and goes on asking with
 * the same idempotency key; the second one asks for the same gateway now and then.
 */
#include "tests/sim/world.h"

#include <inttypes.h>

static bool wants(const struct world *world, int number)
{
	const struct client *client = &world->clients[number];

	if (client->state != CLIENT_IDLE)
		return false;
	return number == 0 || (world->faults.second_requests > 0 && !world->calm);
}

static void set_second_request(struct world *world, struct request *request)
{
	const struct names *names = world->names;
	bool same = world_random(world, 4) == 0;

	world->faults.second_requests--;
	request->key = same ? world->clients[0].request.key : names->key[KEYS - 1];
	request->digest = same ? "other" : "second";
}

bool client_step(struct world *world, int number)
{
	struct client *client = &world->clients[number];
	int server = (int)world_random(world, (unsigned)world->server_count);

	if (client->state == CLIENT_WAITS && world_fault(world, &world->faults.timeouts, 12)) {
		world_trace(world, "client %d: waits no longer", number);
		client->state = CLIENT_IDLE;
		return true;
	}
	if (!wants(world, number) || world->servers[server].down || world->servers[server].worker.phase != PHASE_IDLE)
		return false;
	if (number == 1)
		set_second_request(world, &client->request);
	client->request.client = number;
	client->request.number++;
	client->state = CLIENT_WAITS;
	client->request.server = server;
	gateway_start(world);
	world_trace(world, "client %d: asks server %d with key %s%s%s", number, server, client->request.key,
		    client->request.replace ? " to replace " : "", client->request.replace ? client->request.replace : "");
	worker_begin(world, server, &client->request);
	return true;
}

/* 200 is said only by a read or a write that says deployed (or that an ended claim over it has sent nothing). */
static void check_honest(struct world *world, const struct request *request, int run)
{
	const struct pep_identity *seen = &world->servers[request->server].worker.seen;

	if (!is_deployed(seen) || name_number(seen->enrollment_id) != run)
		world_violated(world, "honest: 200 for run %d, but the record read says otherwise", run);
	if (seen->revision == world->store.record.revision && world->gateway.certificate != run)
		world_violated(world, "honest: 200 for run %d, but the gateway holds run %d", run, world->gateway.certificate);
}

void client_answer(struct world *world, const struct request *request, int status, int run)
{
	struct client *client;

	if (request->client < 0)
		return;
	client = &world->clients[request->client];
	if (status == 200)
		check_honest(world, request, run);
	if (client->state != CLIENT_WAITS || client->request.number != request->number)
		return; /* nobody waits for it any more */
	client->state = status == 200 || status == 409 || status == 422 ? CLIENT_DONE : CLIENT_IDLE;
}

/* --- the operator --- */

static void operator_look(struct world *world)
{
	world->operator.seen = world->store.record;
	world->operator.exists = world->store.exists;
	world->operator.taken = true;
	world->operator_certificate = world->gateway.certificate;
	world->operator_up = world->gateway.up;
}

/* The first client is told to replace what is there. */
static bool grant(struct world *world)
{
	const struct pep_identity *record = &world->store.record;
	struct client *client = &world->clients[0];

	if (world->calm || world->faults.grants == 0 || client->state != CLIENT_DONE || !record->enrollment_id ||
	    (record->state != PEP_DEPLOYED && record->state != PEP_RETIRED))
		return false;
	world->faults.grants--;
	world->runs[name_number(record->enrollment_id)].granted = true;
	world_trace(world, "operator: grants to replace %s", record->enrollment_id);
	client->request.key = world->names->key[++world->key_count];
	client->request.replace = record->enrollment_id;
	client->state = CLIENT_IDLE;
	return true;
}

/* With the evidence of an earlier look: meanwhile everything may have changed. */
static bool resolve(struct world *world)
{
	const struct pep_identity *seen = &world->operator.seen;
	int candidate = world->operator_certificate;
	bool holds = candidate && world->runs[candidate].attempt == seen->contacted;
	struct machine_resolve event = {.attempt = seen->contacted,
					.deployed = holds,
					.gateway_read = true,
					.program_ended = !world->operator_up || world->mutant == MUTANT_RESOLVE_EARLY,
					.enrollment_id = candidate ? world->names->enrollment[candidate] : NULL,
					.dispatch_id = world->names->dispatch[world->dispatch_count + 1],
					.now_ms = world->now_ms,
					.reason = "simulated: resolved"};
	struct pep_identity record = world->store.record;
	struct pep_identity next;

	if (world->mutant == MUTANT_STALE_EVIDENCE)
		event.attempt = record.contacted;
	if (machine_resolve(&record, &event, &next) != MACHINE_WRITE)
		return false;
	world->faults.resolves--;
	world->dispatch_count += holds;
	world_trace(world, "operator: says that attempt %u is %s", seen->contacted, holds ? "deployed" : "failed");
	(void)store_write(world, &next);
	return true;
}

static bool retire(struct world *world)
{
	struct pep_identity record = world->store.record;
	struct pep_identity next;

	if (!world->store.exists || machine_retire(&record, "simulated: retired", &next) != MACHINE_WRITE)
		return false;
	world->faults.retires--;
	world_trace(world, "operator: retires");
	(void)store_write(world, &next);
	return true;
}

bool operator_step(struct world *world)
{
	if (grant(world))
		return true;
	if (world->calm)
		return false;
	if (world->faults.resolves > 0 && world->store.record.state == PEP_IN_DOUBT) {
		if (!world->operator.taken || world_random(world, 4) == 0)
			operator_look(world);
		else if (world->operator.seen.state == PEP_IN_DOUBT)
			return resolve(world);
		else
			world->operator.taken = false;
		return true;
	}
	return world->faults.retires > 0 && world_random(world, 20) == 0 && retire(world);
}

/* --- the clock --- */

static bool is_held(const struct world *world)
{
	int run = name_number(world->store.record.nonce);

	for (int server = 0; server < world->server_count; server++) {
		const struct server *mine = &world->servers[server];

		if (mine->worker.run == run || (mine->tool.state != TOOL_NONE && mine->tool.run == run))
			return true;
	}
	return false;
}

/* The lease ends: at once if nobody holds it any more, as a fault if the holder lives and does not know. */
bool clock_step(struct world *world)
{
	int64_t lease_until_ms = world->store.record.lease_until_ms;

	if (lease_until_ms <= world->now_ms) {
		world->now_ms++;
		return false;
	}
	if (is_held(world)) {
		if (lease_until_ms - world->now_ms > MARGIN_MS && world_random(world, 4) == 0 && !world->calm) {
			world->now_ms++;
			return false;
		}
		if (!world_fault(world, &world->faults.expiries, 4))
			return false;
	}
	world->now_ms = lease_until_ms;
	world_trace(world, "clock: %" PRId64 " ms, the lease ends", world->now_ms);
	tool_kill_late(world);
	return true;
}
