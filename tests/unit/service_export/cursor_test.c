/* SPDX-License-Identifier: Apache-2.0
 *
 * Several servers deploy into one store, and commit as late as they may; somebody exports from cursor to cursor. Nothing is missed.
 */
#include "core/service/cursor.h"
#include "core/service/dispatch.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SERVERS = 3, RECORDS = 40, LEASE_MS = 120000, SCHEDULES = 3000, STEPS = 300 };

/* A record, and what its server knows of it: the id under which it is being deployed, in a write that has not arrived. */
struct entry {
	struct pep_identity id;
	char serial[16], dispatch_id[25], pending[25];
	unsigned server;
	bool is_seen;
};
struct storage {
	int64_t now_ms;
	struct entry entries[RECORDS];
	size_t count;
	struct dispatch servers[SERVERS];
	pep_status status;
};

struct storage_scan {
	const struct storage *store;
	struct pep_scan_query query;
	size_t next;
	const struct entry *newest;
};

pep_status storage_now(struct storage *storage, int64_t *ret_ms, struct pep_error *err)
{
	if (storage->status != PEP_OK)
		return pep_fail(err, storage->status, 0, "away");
	*ret_ms = storage->now_ms;
	return PEP_OK;
}

pep_status storage_scan_open(struct storage *storage, const struct pep_scan_query *query, struct storage_scan **ret_scan,
			     struct pep_error *err)
{
	struct storage_scan *scan = calloc(1, sizeof(*scan));

	(void)err;
	assert_non_null(scan);
	*scan = (struct storage_scan){.store = storage, .query = *query};
	for (size_t i = 0; i < storage->count; i++) {
		const struct entry *entry = &storage->entries[i];

		if (entry->id.state == PEP_DEPLOYED && (!scan->newest || strcmp(entry->dispatch_id, scan->newest->dispatch_id) > 0))
			scan->newest = entry;
	}
	*ret_scan = scan;
	return PEP_OK;
}

/* The two walks that a cursor needs: the newest one deployed, and every lease. */
pep_status storage_scan_next(struct storage_scan *scan, const struct pep_identity **ret_id, struct pep_error *err)
{
	const struct storage *store = scan->store;

	(void)err;
	*ret_id = NULL;
	if (scan->query.descending) {
		assert_int_equal(scan->query.state, PEP_DEPLOYED);
		if (scan->newest && scan->next++ == 0)
			*ret_id = &scan->newest->id;
		return PEP_OK;
	}
	assert_int_equal(scan->query.lease_before_ms, INT64_MAX);
	assert_int_equal(scan->query.brief, 0);
	while (scan->next < store->count && !*ret_id) {
		const struct pep_identity *id = &store->entries[scan->next++].id;

		if (id->lease_until_ms)
			*ret_id = id;
	}
	return PEP_OK;
}

void storage_scan_close(struct storage_scan *scan)
{
	free(scan);
}

/* --- a schedule --- */

static unsigned any(unsigned *seed, unsigned limit)
{
	*seed = *seed * 1103515245U + 12345U;
	return (*seed >> 12) % limit;
}

static void claim(struct storage *store, unsigned server)
{
	struct entry *entry = &store->entries[store->count];

	if (store->count == RECORDS)
		return;
	*entry = (struct entry){.server = server};
	(void)snprintf(entry->serial, sizeof(entry->serial), "S%zu", store->count++);
	entry->id = (struct pep_identity){.struct_size = sizeof(entry->id),
					  .state = PEP_ISSUED,
					  .serial = entry->serial,
					  .dispatch_id = entry->dispatch_id,
					  .lease_until_ms = store->now_ms + LEASE_MS};
}

/* The id is made, and the write is on its way. */
static void send_write(struct storage *store, struct entry *entry)
{
	if (entry->id.state == PEP_ISSUED && !*entry->pending)
		dispatch_next(&store->servers[entry->server], store->now_ms, entry->pending);
}

/* It arrives; it applies if nobody has written in between. */
static void arrive(struct entry *entry)
{
	if (entry->id.state != PEP_ISSUED || !*entry->pending)
		return;
	memcpy(entry->dispatch_id, entry->pending, sizeof(entry->pending));
	entry->id.state = PEP_DEPLOYED;
	entry->id.lease_until_ms = 0;
}

static void lapse(const struct storage *store, struct entry *entry)
{
	if (entry->id.lease_until_ms && entry->id.lease_until_ms <= store->now_ms) {
		entry->id.state = PEP_IN_DOUBT;
		entry->id.lease_until_ms = 0;
	}
}

static void follow_all(struct storage *store)
{
	char newest[25];

	assert_int_equal(cursor_newest(store, newest, NULL), PEP_OK);
	for (unsigned i = 0; i < SERVERS; i++)
		dispatch_follow(&store->servers[i], newest);
}

static void export_since(struct storage *store, char cursor[25])
{
	char next[25];

	assert_int_equal(cursor_now(store, LEASE_MS, next, NULL), PEP_OK);
	for (size_t i = 0; i < store->count; i++)
		if (store->entries[i].id.state == PEP_DEPLOYED && strcmp(store->entries[i].dispatch_id, cursor) > 0)
			store->entries[i].is_seen = true;
	memcpy(cursor, next, sizeof(next));
}

static void step(struct storage *store, unsigned *seed, char cursor[25])
{
	struct entry *entry = store->count ? &store->entries[any(seed, (unsigned)store->count)] : NULL;

	switch (any(seed, 8)) {
	case 0:
		store->now_ms += any(seed, 40000);
		break;
	case 1: /* somebody sets the clock back; recovery has told each server of the others */
		follow_all(store);
		if (any(seed, 4) == 0)
			store->now_ms -= any(seed, 3600000);
		break;
	case 2:
		claim(store, any(seed, SERVERS));
		break;
	case 3:
	case 4:
		if (entry)
			send_write(store, entry);
		break;
	case 5:
		if (entry)
			arrive(entry);
		break;
	case 6:
		if (entry)
			lapse(store, entry);
		break;
	default:
		export_since(store, cursor);
		break;
	}
}

static unsigned play(unsigned seed)
{
	static struct storage store;
	char cursor[25] = "";
	unsigned deployed = 0;
	unsigned number = seed;

	store = (struct storage){.now_ms = 1800000000000};
	for (unsigned i = 0; i < SERVERS; i++)
		dispatch_init(&store.servers[i], NULL);
	for (unsigned i = 0; i < STEPS; i++)
		step(&store, &seed, cursor);
	for (size_t i = 0; i < store.count; i++)
		arrive(&store.entries[i]);
	export_since(&store, cursor);
	for (size_t i = 0; i < store.count; i++) {
		if (store.entries[i].id.state != PEP_DEPLOYED)
			continue;
		deployed++;
		if (!store.entries[i].is_seen)
			fail_msg("schedule %u: %s (%s) was missed; the cursor is at %s", number, store.entries[i].serial,
				 store.entries[i].dispatch_id, cursor);
	}
	for (unsigned i = 0; i < SERVERS; i++)
		dispatch_fini(&store.servers[i]);
	return deployed;
}

static void late_commits_are_never_missed(void **state)
{
	unsigned deployed = 0;

	(void)state;
	for (unsigned seed = 1; seed <= SCHEDULES; seed++)
		deployed += play(seed);
	assert_in_range(deployed, SCHEDULES, (size_t)SCHEDULES * RECORDS); /* the schedules do something */
}

static void nothing_yet_is_the_beginning(void **state)
{
	struct storage store = {.now_ms = 1800000000000};
	char cursor[25];

	(void)state;
	assert_int_equal(cursor_now(&store, LEASE_MS, cursor, NULL), PEP_OK);
	assert_string_equal(cursor, "000000000000000000000000");
}

/* An idle line repeats nothing: the cursor is the newest there is. */
static void an_idle_line_repeats_nothing(void **state)
{
	static struct storage store;
	char cursor[25];

	(void)state;
	store = (struct storage){.now_ms = 1800000000000};
	dispatch_init(&store.servers[0], NULL);
	claim(&store, 0);
	send_write(&store, &store.entries[0]);
	arrive(&store.entries[0]);
	store.now_ms += CURSOR_MARGIN_MS + 1;
	assert_int_equal(cursor_now(&store, LEASE_MS, cursor, NULL), PEP_OK);
	assert_string_equal(cursor, store.entries[0].dispatch_id);
	dispatch_fini(&store.servers[0]);
}

static void errors_are_passed_on(void **state)
{
	struct storage store = {.status = PEP_UNAVAILABLE};
	struct pep_error err = {0};
	char cursor[25];

	(void)state;
	assert_int_equal(cursor_now(&store, LEASE_MS, cursor, &err), PEP_UNAVAILABLE);
	assert_string_equal(err.message, "away");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_commits_are_never_missed),
		cmocka_unit_test(nothing_yet_is_the_beginning),
		cmocka_unit_test(an_idle_line_repeats_nothing),
		cmocka_unit_test(errors_are_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
