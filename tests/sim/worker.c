/* SPDX-License-Identifier: Apache-2.0
 *
 * worker.c - one thread of a server that provisions: everything but its reads and writes of the record (record.c).
 */
#include "tests/sim/world.h"

static struct worker *worker_of(struct world *world, int server)
{
	return &world->servers[server].worker;
}

void worker_begin(struct world *world, int server, const struct request *request)
{
	struct worker *worker = worker_of(world, server);

	*worker = (struct worker){.phase = PHASE_READ, .request = *request};
	worker->fields = (struct pep_identity){.struct_size = sizeof(worker->fields),
					       .serial = "serial",
					       .idempotency_key = request->key,
					       .request_digest = request->digest};
}

void worker_reply(struct world *world, int server, int status, int run)
{
	struct worker *worker = worker_of(world, server);
	struct request request = worker->request;

	world_trace(world, "server %d: run %d of attempt %u is over, answer %d", server, worker->run, worker->attempt, status);
	if (worker->run)
		gateway_hang_up(world, worker->run);
	/* Behind an adopted tool may be an own attempt that nobody holds. */
	worker->phase = request.client < 0 ? PHASE_RECOVER_READ : PHASE_IDLE;
	worker->run = 0;
	client_answer(world, &request, status, run);
}

/* How it ended goes to the record; then the answer. */
void worker_end(struct world *world, int server, enum machine_end_kind kind, const char *candidate)
{
	struct worker *worker = worker_of(world, server);

	if (kind == MACHINE_END_DOUBTFUL && world->mutant == MUTANT_UNKNOWN_IS_FAILED)
		kind = MACHINE_END_REFUSED;
	if (kind == MACHINE_END_DOUBTFUL && world->mutant == MUTANT_UNKNOWN_IS_DEPLOYED) {
		worker->phase = PHASE_DELIVER;
		return;
	}
	if (kind == MACHINE_END_DOUBTFUL && world->mutant == MUTANT_DELETE_ON_FAIL)
		store_delete(world);
	gateway_hang_up(world, worker->run);
	worker->end = kind;
	worker->candidate = candidate;
	worker->phase = PHASE_END;
}

static void connect_gateway(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);

	if (!gateway_connect(world, worker->run)) {
		worker_end(world, server, MACHINE_END_NOT_SENT, NULL);
		return;
	}
	world_trace(world, "server %d: run %d connects", server, worker->run);
	if (!worker->contacted)
		worker->phase = PHASE_CONTACT;
	else
		worker->phase = world->kind == BY_TOOL ? PHASE_SEND_LAST : PHASE_SEND_FIRST;
}

static void send_first(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);

	world_trace(world, "server %d: run %d sends the first message", server, worker->run);
	world->runs[worker->run].connection.first_sent = !world->runs[worker->run].connection.dead;
	worker->phase = PHASE_WAIT_FIRST;
}

static bool wait_first(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	const struct connection *connection = &world->runs[worker->run].connection;

	if (connection->first_answered)
		worker->phase = world->mutant == MUTANT_LATE_RECORD ? PHASE_SEND_LAST : PHASE_ISSUE;
	else if (connection->dead || world_fault(world, &world->faults.timeouts, 10))
		worker_end(world, server, MACHINE_END_NOT_SENT, NULL);
	else
		return false;
	return true;
}

static void send_last(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);

	world_trace(world, "server %d: run %d sends the last message", server, worker->run);
	world->runs[worker->run].connection.last_sent = !world->runs[worker->run].connection.dead;
	worker->sent_last = true;
	worker->phase = PHASE_WAIT_LAST;
}

static bool wait_last(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	const struct connection *connection = &world->runs[worker->run].connection;
	const char *candidate = world->names->enrollment[worker->run];

	/* Also when an answer is there: it may be lost on its way. */
	bool lost = world_fault(world, &world->faults.lost_answers, 6);

	if (connection->last_answered && !lost)
		worker->phase = PHASE_DELIVER;
	else if (connection->denied && !lost)
		worker_end(world, server, MACHINE_END_REFUSED, NULL);
	else if (connection->dead || lost)
		worker_end(world, server, MACHINE_END_DOUBTFUL, candidate);
	else
		return false;
	return true;
}

/* The runner looks at the clock before it starts the tool; and that is all that stands between. */
static void start_tool(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	struct tool *tool = &world->servers[server].tool;

	if (world->now_ms >= worker->deadline_ms && world->mutant != MUTANT_TOOL_OUTLIVES) {
		worker_end(world, server, MACHINE_END_NOT_SENT, NULL);
		return;
	}
	world_trace(world, "server %d: run %d starts its tool", server, worker->run);
	*tool = (struct tool){
		.state = TOOL_STARTED, .run = worker->run, .deadline_ms = worker->deadline_ms, .fields = worker->fields};
	worker->phase = PHASE_TOOL_WAIT;
}

void worker_adopt(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	const struct tool *tool = &world->servers[server].tool;

	*worker = (struct worker){.phase = PHASE_TOOL_WAIT,
				  .request = {.client = -1},
				  .fields = tool->fields,
				  .contacted = true,
				  .run = tool->run,
				  .attempt = world->runs[tool->run].attempt};
	world_trace(world, "server %d: adopts run %d", server, worker->run);
}

static bool wait_tool(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	struct tool *tool = &world->servers[server].tool;
	const char *candidate = world_random(world, 2) ? world->names->enrollment[worker->run] : NULL;

	switch (tool->state) {
	case TOOL_DELIVERED:
		worker->phase = PHASE_DELIVER_READ;
		return true;
	case TOOL_REFUSED:
		tool->state = TOOL_NONE;
		worker_end(world, server, MACHINE_END_REFUSED, NULL);
		break;
	case TOOL_DOUBTFUL:
		tool->state = TOOL_NONE;
		worker_end(world, server, MACHINE_END_DOUBTFUL, candidate);
		break;
	default:
		return false;
	}
	if (worker->phase == PHASE_END)
		worker->phase = PHASE_END_READ; /* it may have been a long time */
	return true;
}

bool worker_step(struct world *world, int server)
{
	if (world->servers[server].down)
		return false;
	switch (worker_of(world, server)->phase) {
	case PHASE_IDLE:
		return false;
	case PHASE_CONNECT:
		connect_gateway(world, server);
		return true;
	case PHASE_SEND_FIRST:
		send_first(world, server);
		return true;
	case PHASE_WAIT_FIRST:
		return wait_first(world, server);
	case PHASE_SEND_LAST:
		send_last(world, server);
		return true;
	case PHASE_WAIT_LAST:
		return wait_last(world, server);
	case PHASE_TOOL_START:
		start_tool(world, server);
		return true;
	case PHASE_TOOL_WAIT:
		return wait_tool(world, server);
	default:
		return record_step(world, server);
	}
}
