/* SPDX-License-Identifier: Apache-2.0
 *
 * invariants.c - the rules of docs/identity-life.md, "Invariants", looked at from outside: by what the gateway holds, and without
 * machine.c or history.c.
 */
#include "tests/sim/world.h"

#include "core/base/text.h"

#include <jansson.h>
#include <string.h>

static uint32_t standing(const struct pep_identity *record)
{
	return record->state == PEP_CLAIMED ? record->before : record->state;
}

bool is_deployed(const struct pep_identity *record)
{
	return standing(record) == PEP_DEPLOYED;
}

/* --- history --- */

static void note_entry(struct world *world, struct note *notes, json_t *entry)
{
	json_int_t attempt = json_integer_value(json_object_get(entry, "attempt"));
	const char *enrollment = json_string_value(json_object_get(entry, "enrollmentID"));
	const char *dispatch = json_string_value(json_object_get(entry, "_id"));
	struct note *note;

	if (attempt < 1 || attempt >= RUNS) {
		world_violated(world, "recorded: the history has an attempt %lld", (long long)attempt);
		return;
	}
	note = &notes[attempt];
	if (note->there)
		world_violated(world, "unique: the history has attempt %lld twice", (long long)attempt);
	note->there = true;
	note->delivered = text_equal(json_string_value(json_object_get(entry, "ended")), "delivered");
	note->run = name_number(enrollment);
	if (note->delivered && note->run)
		world->runs[note->run].delivered = true;
	if (note->run && world->runs[note->run].attempt != attempt)
		world_violated(world, "unique: the history gives %s to attempt %lld", enrollment, (long long)attempt);
	if (dispatch && world->dispatch_of[attempt] != (uint32_t)name_number(dispatch))
		world_violated(world, "unique: the history gives %s to attempt %lld", dispatch, (long long)attempt);
}

static void read_history(struct world *world, const char *history)
{
	struct note notes[RUNS] = {0};
	json_t *array = json_loads(history, 0, NULL);
	json_t *entry;
	size_t i;

	if (!json_is_array(array))
		world_violated(world, "recorded: the history cannot be read");
	json_array_foreach(array, i, entry)
	{
		note_entry(world, notes, entry);
	}
	json_decref(array);
	for (int attempt = 1; attempt < RUNS; attempt++) {
		const struct note *old = &world->notes[attempt];

		if ((old->there && !notes[attempt].there) || (old->delivered && !notes[attempt].delivered) ||
		    (old->run && old->run != notes[attempt].run))
			world_violated(world, "facts: the history forgets attempt %d", attempt);
	}
	memcpy(world->notes, notes, sizeof(notes));
}

/* --- changes --- */

/* One dispatch id for an attempt, and no attempt with that of another. */
static void check_dispatch(struct world *world, const struct pep_identity *next)
{
	uint32_t dispatch = (uint32_t)name_number(next->dispatch_id);

	if (!dispatch)
		return;
	if (world->dispatch_of[next->contacted] && world->dispatch_of[next->contacted] != dispatch)
		world_violated(world, "unique: attempt %u gets a second dispatch id", next->contacted);
	if (world->attempt_of[dispatch] && world->attempt_of[dispatch] != next->contacted)
		world_violated(world, "unique: attempt %u gets the dispatch id of attempt %u", next->contacted,
			       world->attempt_of[dispatch]);
	world->dispatch_of[next->contacted] = dispatch;
	world->attempt_of[dispatch] = next->contacted;
}

/* Stable: what is deployed or retired stays so until somebody contacts with a grant that names it; deployed may be retired. */
static void check_stable(struct world *world, const struct pep_identity *old, const struct pep_identity *next)
{
	int run = name_number(old->enrollment_id);
	bool same = next->contacted == old->contacted && name_number(next->enrollment_id) == run;

	if (standing(old) != PEP_DEPLOYED && standing(old) != PEP_RETIRED)
		return;
	if (same && (standing(next) == standing(old) || standing(next) == PEP_RETIRED))
		return;
	if (!world->runs[run].granted)
		world_violated(world, "stable: run %d was deployed or retired, and nobody has granted to replace it", run);
}

static void check_numbers(struct world *world, const struct pep_identity *old, const struct pep_identity *next)
{
	bool began = next->contacted != old->contacted && (old->before == PEP_DEPLOYED || old->before == PEP_RETIRED);

	if (next->attempt < old->attempt || next->contacted < old->contacted || next->contacted > next->attempt)
		world_violated(world, "recorded: attempt %u, contacted %u after %u, %u", next->attempt, next->contacted,
			       old->attempt, old->contacted);
	if (old->revision && next->generation != old->generation + (began ? 1 : 0))
		world_violated(world, "recorded: generation %u after %u", next->generation, old->generation);
	if ((next->state <= PEP_ISSUED) != (next->lease_until_ms != 0))
		world_violated(world, "live: state %u with a lease until %lld", next->state, (long long)next->lease_until_ms);
}

/* The request on record is that of the attempt that contacted: who repeats it gets its identity. */
static void check_request(struct world *world, const struct pep_identity *next)
{
	int run = name_number(next->enrollment_id);

	if (run && next->idempotency_key != world->runs[run].key)
		world_violated(world, "honest: run %d is on record with another request's key", run);
}

void check_change(struct world *world, const struct pep_identity *next)
{
	const struct pep_identity *old = &world->store.record;

	check_numbers(world, old, next);
	check_stable(world, old, next);
	check_dispatch(world, next);
	check_request(world, next);
	if (next->history && next->history != old->history)
		read_history(world, next->history);
	if (next->state == PEP_DEPLOYED)
		world->runs[name_number(next->enrollment_id)].delivered = true;
}

/* --- states --- */

static void check_true(struct world *world)
{
	const struct pep_identity *record = &world->store.record;
	int held = world->gateway.certificate;
	bool holds = held && world->runs[held].attempt == record->contacted;

	if (is_deployed(record) && (!holds || name_number(record->enrollment_id) != held || !record->dispatch_id))
		world_violated(world, "true: attempt %u is said to be deployed, the gateway holds run %d", record->contacted, held);
	if (standing(record) == PEP_FAILED && record->contacted && holds)
		world_violated(world, "true: attempt %u is said to have failed, the gateway holds its certificate",
			       record->contacted);
}

static void check_recorded(struct world *world)
{
	const struct pep_identity *record = &world->store.record;
	int held = world->gateway.certificate;
	uint32_t attempt = world->runs[held].attempt;
	const struct note *note = &world->notes[attempt];

	if (!held)
		return;
	if (record->contacted == attempt && (world->kind == OPAQUE || name_number(record->enrollment_id) == held))
		return;
	if (note->there && (note->run == held || (world->kind == OPAQUE && !note->run)))
		return;
	world_violated(world, "recorded: the gateway holds run %d of attempt %u, which is not on record", held, attempt);
}

static bool is_kept(const struct world *world, int run)
{
	const struct pep_identity *record = &world->store.record;
	uint32_t attempt = world->runs[run].attempt;

	if (record->contacted == attempt && (is_deployed(record) || (standing(record) == PEP_RETIRED && record->dispatch_id)))
		return true;
	if (world->notes[attempt].delivered)
		return true;
	for (int server = 0; server < world->server_count; server++) {
		const struct server *mine = &world->servers[server];

		if (mine->spool[run] || (mine->tool.run == run && mine->tool.state == TOOL_DELIVERED))
			return true;
	}
	return false;
}

void check_world(struct world *world)
{
	check_true(world);
	check_recorded(world);
	for (int run = 1; run <= world->run_count; run++)
		if (world->runs[run].delivered && !is_kept(world, run))
			world_violated(world, "facts: that run %d was delivered is stored and spooled nowhere", run);
}

void check_end(struct world *world)
{
	const struct pep_identity *record = &world->store.record;
	/* One of them: reading the history takes longer than all else. */
	int run = 1 + (int)world_random(world, (unsigned)world->run_count);

	if (!world->store.exists || (record->state != PEP_DEPLOYED && record->state != PEP_RETIRED))
		world_violated(world, "live: retries end in state %u", record->state);
	if (world->runs[run].attempt && world->runs[run].delivered != machine_has_delivery(record, world->runs[run].attempt))
		world_violated(world, "facts: machine_has_delivery() is wrong about run %d", run);
}
