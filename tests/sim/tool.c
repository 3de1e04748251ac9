/* SPDX-License-Identifier: Apache-2.0
 *
 * tool.c - an opaque tool that dials by itself, under a runner that outlives its server, kills it before the lease ends, and
 * writes its result to a file before anything else.
 */
#include "tests/sim/world.h"

static void leave_result(struct world *world, struct tool *tool, enum tool_state result)
{
	world_trace(world, "tool of run %d: %s", tool->run,
		    result == TOOL_DELIVERED ? "delivered"
		    : result == TOOL_REFUSED ? "refused"
					     : "in doubt");
	gateway_hang_up(world, tool->run);
	tool->state = result;
	if (result == TOOL_DELIVERED)
		world->runs[tool->run].delivered = true;
}

static bool is_running(const struct tool *tool)
{
	return tool->state >= TOOL_STARTED && tool->state <= TOOL_WAITS_LAST;
}

void tool_kill_late(struct world *world)
{
	if (world->mutant == MUTANT_TOOL_OUTLIVES)
		return;
	for (int server = 0; server < world->server_count; server++) {
		struct tool *tool = &world->servers[server].tool;

		if (is_running(tool) && world->now_ms >= tool->deadline_ms)
			leave_result(world, tool, TOOL_DOUBTFUL);
	}
}

static bool wait_first(struct world *world, struct tool *tool)
{
	const struct connection *connection = &world->runs[tool->run].connection;

	if (connection->first_answered)
		tool->state = TOOL_SENDS_LAST;
	else if (connection->dead || world_fault(world, &world->faults.timeouts, 10))
		leave_result(world, tool, TOOL_DOUBTFUL);
	else
		return false;
	return true;
}

static bool wait_last(struct world *world, struct tool *tool)
{
	const struct connection *connection = &world->runs[tool->run].connection;

	bool lost = world_fault(world, &world->faults.lost_answers, 6);

	if (connection->last_answered && !lost)
		leave_result(world, tool, TOOL_DELIVERED);
	else if (connection->denied && !lost)
		leave_result(world, tool, TOOL_REFUSED);
	else if (connection->dead || lost)
		leave_result(world, tool, TOOL_DOUBTFUL);
	else
		return false;
	return true;
}

bool tool_step(struct world *world, int server)
{
	struct tool *tool = &world->servers[server].tool;
	struct connection *connection = &world->runs[tool->run].connection;

	switch (tool->state) {
	case TOOL_STARTED:
		if (gateway_connect(world, tool->run))
			tool->state = TOOL_SENDS_FIRST;
		else
			leave_result(world, tool, TOOL_DOUBTFUL);
		return true;
	case TOOL_SENDS_FIRST:
		connection->first_sent = !connection->dead;
		tool->state = TOOL_WAITS_FIRST;
		return true;
	case TOOL_WAITS_FIRST:
		return wait_first(world, tool);
	case TOOL_SENDS_LAST:
		connection->last_sent = !connection->dead;
		tool->state = TOOL_WAITS_LAST;
		return true;
	case TOOL_WAITS_LAST:
		return wait_last(world, tool);
	default:
		return false;
	}
}
