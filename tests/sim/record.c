/* SPDX-License-Identifier: Apache-2.0
 *
 * record.c - a worker's reads and writes of the record: each is read, machine.c, update at the revision read, and what the store
 * answers. Between any two of these steps everybody else may act.
 */
#include "tests/sim/world.h"

#include "core/base/text.h"

static struct worker *worker_of(struct world *world, int server)
{
	return &world->servers[server].worker;
}

static struct machine_attempt attempt_of(const struct world *world, const struct worker *worker)
{
	return (struct machine_attempt){.attempt = worker->attempt, .nonce = world->names->nonce[worker->run]};
}

/* The record as it is now, with the time of the store. */
static pep_status look(struct world *world, struct worker *worker)
{
	worker->now_ms = world->now_ms;
	return store_read(world, &worker->seen, &worker->exists);
}

static pep_status write_seen(struct world *world, struct worker *worker, const struct pep_identity *next)
{
	pep_status status = store_write(world, next);

	if (status == PEP_UNKNOWN && world->mutant == MUTANT_NO_READBACK)
		status = PEP_OK;
	if (status == PEP_OK) {
		worker->seen = *next;
		worker->seen.revision++;
		worker->exists = true;
	}
	return status;
}

/* --- rows 1 to 6 --- */

static void step_read(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);

	if (look(world, worker) == PEP_OK)
		worker->phase = PHASE_CLAIM;
	else
		worker_reply(world, server, 503, 0);
}

static void claimed(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);

	worker->attempt = worker->seen.attempt;
	world->runs[worker->run].attempt = worker->attempt;
	world->calm_claims += world->calm;
	if (world->kind == OPAQUE || world->mutant == MUTANT_TOUCH_FIRST)
		worker->phase = PHASE_CONTACT;
	else
		worker->phase = PHASE_CONNECT;
	world_trace(world, "server %d: run %d is attempt %u", server, worker->run, worker->attempt);
}

static int status_of(enum machine_verdict verdict)
{
	return verdict == MACHINE_REPLAY ? 200 : verdict == MACHINE_MISMATCH ? 422 : verdict == MACHINE_IN_PROGRESS ? 425 : 409;
}

static void step_claim(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	int run = world->run_count + 1;
	const char *replace = worker->request.replace;
	struct machine_request event = {.fields = &worker->fields,
					.nonce = world->names->nonce[run],
					.owner = world->names->owner[server][world->servers[server].start],
					.now_ms = worker->now_ms,
					.lease_ms = LEASE_MS,
					.opaque = world->kind == OPAQUE && world->mutant != MUTANT_TOOL_IS_NATIVE,
					.replace = replace};
	struct pep_identity next;
	enum machine_verdict verdict;

	if (world->mutant == MUTANT_LEASE_FOREVER)
		event.now_ms = 0;
	if (world->mutant == MUTANT_GRANT_ANY && replace && worker->exists)
		event.replace = worker->seen.enrollment_id;
	verdict = machine_request(&world->arena, worker->exists ? &worker->seen : NULL, &event, &next);
	if (verdict != MACHINE_WRITE) {
		worker_reply(world, server, status_of(verdict),
			     verdict == MACHINE_REPLAY ? name_number(worker->seen.enrollment_id) : 0);
		return;
	}
	world->run_count = run;
	world->runs[run].key = worker->request.key;
	worker->run = run;
	worker->deadline_ms = worker->now_ms + LEASE_MS - MARGIN_MS;
	switch (write_seen(world, worker, &next)) {
	case PEP_OK:
		claimed(world, server);
		break;
	case PEP_CONFLICT:
		worker->run = 0;
		worker->phase = PHASE_READ;
		break;
	case PEP_UNKNOWN:
		worker->phase = PHASE_CLAIM_BACK;
		break;
	default:
		worker_reply(world, server, 503, 0);
	}
}

static void step_claim_back(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);

	if (look(world, worker) == PEP_OK && worker->exists && worker->seen.state == PEP_CLAIMED &&
	    text_equal(worker->seen.nonce, world->names->nonce[worker->run]))
		claimed(world, server);
	else
		worker_reply(world, server, 503, 0);
}

/* --- rows 7 and 8 --- */

static void contacted(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);

	worker->contacted = true;
	if (world->kind == OPAQUE)
		worker->phase = PHASE_TOOL_START;
	else if (!world->runs[worker->run].connection.open)
		worker->phase = PHASE_CONNECT; /* the mutant that contacts first */
	else
		worker->phase = world->kind == BY_TOOL ? PHASE_SEND_LAST : PHASE_SEND_FIRST;
}

/* The answer of a write that the attempt needs before it may go on; `back` is where a lost one is read back. */
static bool confirmed(struct world *world, int server, enum machine_verdict verdict, const struct pep_identity *next,
		      enum phase reread, enum phase back)
{
	struct worker *worker = worker_of(world, server);

	if (verdict == MACHINE_ALREADY)
		return true;
	if (verdict != MACHINE_WRITE) {
		worker_reply(world, server, 425, 0); /* fenced: hang up */
		return false;
	}
	switch (write_seen(world, worker, next)) {
	case PEP_OK:
		return true;
	case PEP_CONFLICT:
		worker->phase = reread;
		return false;
	case PEP_UNKNOWN:
		worker->phase = back;
		return false;
	default:
		worker_end(world, server, MACHINE_END_NOT_SENT, NULL);
		return false;
	}
}

static enum machine_verdict decide_contact(struct world *world, struct worker *worker, struct pep_identity *ret_next)
{
	struct machine_contact event = {.by = attempt_of(world, worker),
					.fields = &worker->fields,
					.now_ms = worker->now_ms,
					.lease_ms = LEASE_MS,
					.opaque = world->kind == OPAQUE,
					.enrollment_id = world->kind == BY_TOOL ? world->names->enrollment[worker->run] : NULL};

	return machine_contact(&world->arena, &worker->seen, &event, ret_next);
}

static void step_contact(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	struct pep_identity next;
	enum machine_verdict verdict = decide_contact(world, worker, &next);

	if (confirmed(world, server, verdict, &next, PHASE_CONTACT_READ, PHASE_CONTACT_BACK))
		contacted(world, server);
}

static enum machine_verdict decide_issue(struct world *world, struct worker *worker, struct pep_identity *ret_next)
{
	struct machine_issue event = {.by = attempt_of(world, worker),
				      .enrollment_id = world->names->enrollment[worker->run],
				      .now_ms = worker->now_ms,
				      .lease_ms = LEASE_MS};

	return machine_issue(&worker->seen, &event, ret_next);
}

static void step_issue(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	struct pep_identity next;
	enum machine_verdict verdict = decide_issue(world, worker, &next);

	if (confirmed(world, server, verdict, &next, PHASE_ISSUE_READ, PHASE_ISSUE_BACK))
		worker->phase = PHASE_SEND_LAST;
}

/* "Not there" proves nothing: hang up, and say that nothing was sent. */
static void step_back(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	bool contact = worker->phase == PHASE_CONTACT_BACK;
	struct pep_identity unused;
	bool there = look(world, worker) == PEP_OK && worker->exists &&
		     (contact ? decide_contact(world, worker, &unused) : decide_issue(world, worker, &unused)) == MACHINE_ALREADY;

	if (!there)
		worker_end(world, server, MACHINE_END_NOT_SENT, NULL);
	else if (contact)
		contacted(world, server);
	else
		worker->phase = PHASE_SEND_LAST;
}

/* --- rows 9 and 9h --- */

/* What a mutant makes of the record before machine.c sees it. */
static struct pep_identity disguise(const struct world *world, const struct pep_identity *seen, uint32_t attempt)
{
	struct pep_identity record = *seen;

	if (world->mutant == MUTANT_OVER_CONTACTED && seen->contacted > attempt && seen->state == PEP_CONTACTED)
		record.contacted = attempt;
	if (world->mutant == MUTANT_GIVE_TWICE && seen->contacted == attempt && seen->state == PEP_DEPLOYED)
		record.state = PEP_ISSUED;
	return record;
}

pep_status record_deliver(struct world *world, const struct pep_identity *seen, int run, struct pep_identity *ret_record)
{
	uint32_t attempt = world->runs[run].attempt;
	struct pep_identity record = disguise(world, seen, attempt);
	struct machine_delivery event = {.attempt = attempt,
					 .enrollment_id = world->names->enrollment[run],
					 .dispatch_id = world->names->dispatch[(world->dispatch_count + 1) % DISPATCHES],
					 .now_ms = world->now_ms};
	struct pep_identity next;
	enum machine_verdict verdict;
	pep_status status;

	*ret_record = *seen;
	if (world->mutant == MUTANT_FENCE_FACTS && seen->attempt != attempt)
		return PEP_OK;
	verdict = machine_deliver(&world->arena, &record, &event, &next);
	if (verdict == MACHINE_ALREADY)
		return PEP_OK;
	if (verdict != MACHINE_WRITE) {
		world_violated(world, "facts: a delivery of attempt %u is refused, verdict %d", attempt, (int)verdict);
		return PEP_INTERNAL;
	}
	if (++world->dispatch_count >= DISPATCHES - 1)
		world_violated(world, "live: no end of dispatch ids");
	status = store_write(world, &next);
	if (status == PEP_OK) {
		*ret_record = next;
		ret_record->revision++;
	}
	return status;
}

static void answer_delivered(struct world *world, int server, const struct pep_identity *record)
{
	struct worker *worker = worker_of(world, server);
	bool deployed = record->state == PEP_DEPLOYED && record->contacted == worker->attempt;

	spool_remove(world, server, worker->run);
	world->servers[server].tool.state = TOOL_NONE;
	worker->seen = *record;
	worker_reply(world, server, deployed ? 200 : 503, worker->run);
}

static void step_deliver(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	struct pep_identity record;

	switch (record_deliver(world, &worker->seen, worker->run, &record)) {
	case PEP_OK:
		answer_delivered(world, server, &record);
		break;
	case PEP_CONFLICT:
		worker->phase = PHASE_DELIVER_READ;
		break;
	default:
		worker->phase = PHASE_SPOOL;
	}
}

static void step_spool(struct world *world, int server)
{
	spool_put(world, server, worker_of(world, server)->run);
	world->servers[server].tool.state = TOOL_NONE;
	worker_reply(world, server, 503, 0);
}

/* --- rows 10 to 13 --- */

static void step_end(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	struct machine_end event = {.by = attempt_of(world, worker),
				    .kind = worker->end,
				    .enrollment_id = worker->candidate,
				    .reason = "simulated: it ended"};
	struct pep_identity record = worker->seen;
	struct pep_identity next;
	enum machine_verdict verdict;

	if (world->mutant == MUTANT_UNSENT_FAILED)
		record.before = PEP_FAILED;
	verdict = machine_end(&record, &event, &next);
	if (verdict == MACHINE_WRITE && store_write(world, &next) == PEP_CONFLICT)
		worker->phase = PHASE_END_READ;
	else
		worker_reply(world, server, 503, 0); /* stored or lost: row 13 covers it */
}

static void step_recover(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	struct machine_lapse event = {.now_ms = worker->now_ms,
				      .own_name = world->names->own_name[server],
				      .own_owner = world->names->owner[server][world->servers[server].start],
				      .opaque = world->kind == OPAQUE && world->mutant != MUTANT_TOOL_IS_NATIVE};
	struct pep_identity next;
	bool settled = !worker->exists || machine_lapse(&worker->seen, &event, &next) != MACHINE_WRITE ||
		       store_write(world, &next) == PEP_OK;

	worker->phase = settled ? PHASE_IDLE : PHASE_RECOVER_READ;
}

static void step_reread(struct world *world, int server)
{
	struct worker *worker = worker_of(world, server);
	pep_status status = look(world, worker);

	switch (worker->phase) {
	case PHASE_CONTACT_READ:
	case PHASE_ISSUE_READ:
		if (status == PEP_OK)
			worker->phase = worker->phase == PHASE_CONTACT_READ ? PHASE_CONTACT : PHASE_ISSUE;
		else
			worker_end(world, server, MACHINE_END_NOT_SENT, NULL);
		break;
	case PHASE_DELIVER_READ:
		worker->phase = status == PEP_OK ? PHASE_DELIVER : PHASE_SPOOL;
		break;
	case PHASE_END_READ:
		if (status == PEP_OK)
			worker->phase = PHASE_END;
		else
			worker_reply(world, server, 503, 0);
		break;
	default:
		worker->phase = status == PEP_OK ? PHASE_RECOVER : PHASE_RECOVER_READ;
	}
}

bool record_step(struct world *world, int server)
{
	static void (*const steps[PHASES])(struct world * world, int server) = {
		[PHASE_READ] = step_read,           [PHASE_CLAIM] = step_claim,     [PHASE_CLAIM_BACK] = step_claim_back,
		[PHASE_CONTACT_READ] = step_reread, [PHASE_CONTACT] = step_contact, [PHASE_CONTACT_BACK] = step_back,
		[PHASE_ISSUE_READ] = step_reread,   [PHASE_ISSUE] = step_issue,     [PHASE_ISSUE_BACK] = step_back,
		[PHASE_DELIVER_READ] = step_reread, [PHASE_DELIVER] = step_deliver, [PHASE_SPOOL] = step_spool,
		[PHASE_END_READ] = step_reread,     [PHASE_END] = step_end,         [PHASE_RECOVER_READ] = step_reread,
		[PHASE_RECOVER] = step_recover,
	};

	steps[worker_of(world, server)->phase](world, server);
	return true;
}
