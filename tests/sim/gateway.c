/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway.c - a factory program that serves one connection at a time, in the order of connect(). Its first message erases the old
 * credentials, its last one takes effect and ends it; then all that wait are dropped.
 */
#include "tests/sim/world.h"

#include <string.h>

static struct connection *connection_of(struct world *world, int run)
{
	return &world->runs[run].connection;
}

void gateway_start(struct world *world)
{
	if (!world->gateway.up)
		world_trace(world, "gateway: factory program starts");
	world->gateway.up = true;
}

static void stop(struct world *world)
{
	struct gateway *gateway = &world->gateway;

	for (int run = 1; run <= world->run_count; run++) {
		struct connection *connection = connection_of(world, run);

		connection->dead = connection->dead || connection->open;
		connection->first_sent = false;
		connection->last_sent = false;
		connection->first_answered = false;
	}
	gateway->up = false;
	gateway->wiped = false;
	gateway->serving = 0;
	gateway->queue_count = 0;
	gateway->key = 0;
	world_trace(world, "gateway: factory program ends");
}

bool gateway_connect(struct world *world, int run)
{
	struct gateway *gateway = &world->gateway;

	if (!gateway->up)
		return false;
	*connection_of(world, run) = (struct connection){.open = true};
	gateway->queue[gateway->queue_count++] = run;
	return true;
}

void gateway_hang_up(struct world *world, int run)
{
	struct connection *connection = connection_of(world, run);

	/* What was sent is still on the way; only answers have nobody to go to. */
	connection->open = false;
	connection->dead = false;
	connection->first_answered = false;
	connection->last_answered = false;
	connection->denied = false;
}

/* The order in which attempts touch the gateway is what safety rests on. */
static void wipe(struct world *world, int run)
{
	struct gateway *gateway = &world->gateway;
	uint32_t attempt = world->runs[run].attempt;

	if (attempt < gateway->last_touch)
		world_violated(world, "order: attempt %u touches the gateway after attempt %u", attempt, gateway->last_touch);
	gateway->last_touch = attempt;
	if (!gateway->wiped)
		gateway->certificate = 0;
	gateway->wiped = true;
	gateway->key = run;
}

static void take_first(struct world *world, int run)
{
	struct connection *connection = connection_of(world, run);

	world_trace(world, "gateway: first message of run %d, erased", run);
	connection->first_sent = false;
	wipe(world, run);
	connection->first_answered = connection->open;
}

static void take_last(struct world *world, int run)
{
	struct gateway *gateway = &world->gateway;
	struct connection *connection = connection_of(world, run);
	bool refused;

	if (world->kind == BY_TOOL)
		wipe(world, run);
	refused = gateway->key != run || world_fault(world, &world->faults.lost_answers, 4);
	if (!refused)
		gateway->certificate = run;
	world_trace(world, "gateway: last message of run %d, %s", run, refused ? "refused" : "installed");
	connection->last_answered = connection->open && !refused;
	connection->denied = connection->open && refused;
	stop(world);
}

bool gateway_step(struct world *world)
{
	struct gateway *gateway = &world->gateway;
	struct connection *connection;

	if (!gateway->up)
		return false;
	if (world_fault(world, &world->faults.power_cuts, 40)) {
		world_trace(world, "gateway: power cut");
		stop(world);
		return true;
	}
	if (gateway->serving == 0) {
		if (gateway->queue_count == 0)
			return false;
		gateway->serving = gateway->queue[0];
		gateway->queue_count--;
		memmove(gateway->queue, gateway->queue + 1, (size_t)gateway->queue_count * sizeof(gateway->queue[0]));
		return true;
	}
	connection = connection_of(world, gateway->serving);
	if (connection->first_sent)
		take_first(world, gateway->serving);
	else if (connection->last_sent)
		take_last(world, gateway->serving);
	else if (!connection->open)
		gateway->serving = 0;
	else
		return false;
	return true;
}
