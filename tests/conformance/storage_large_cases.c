/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks over very many records while others write: nothing missed, nothing twice, the order kept, each record of one piece.
 */
#include "storage_cases.h"

#include "storage_data.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY_COUNT 100000u
#define WRITER_COUNT 4u /* two insert, two update */
#define PAGE_COUNT 1000u
#define WRITTEN_MEANWHILE 50u /* more than so many of each kind, before a walk is over */

struct hall {
	struct store_driver *driver;
	struct data data;
	atomic_bool done;
	atomic_uint updated, inserted, failed;
};

struct writer {
	struct hall *hall;
	unsigned number;
	pthread_t thread;
};

/* A walk and what it met. `query.after` is set by those that go page by page. */
struct walker {
	struct hall *hall;
	const char *name;
	struct pep_scan_query query;
	unsigned char *seen; /* by record */
	char last[64];       /* the place of the record before */
	unsigned count, missed, twice, disordered, torn;
	pthread_t thread;
};

/* Records that are there from the beginning have even dispatch ids; their number stands in created_ms. */
static void place_of(unsigned number, char ret_dispatch_id[32])
{
	(void)snprintf(ret_dispatch_id, 32, "%024x", number * 2);
}

/* Every write changes three members at once. */
static void dress(struct pep_identity *id, char text[24], uint32_t generation)
{
	(void)snprintf(text, 24, "dress %u", generation);
	id->generation = generation;
	id->reason = text;
	id->ou = text;
}

static bool is_dressed(const struct pep_identity *id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "dress %u", id->generation);
	return id->reason && id->ou && strcmp(id->reason, text) == 0 && strcmp(id->ou, text) == 0;
}

static void fill(struct hall *hall, unsigned count)
{
	struct entry *entries = data_alloc(&hall->data, count);

	for (unsigned i = 0; i < count; i++) {
		struct entry *entry = &entries[i];

		(void)snprintf(entry->serial, sizeof(entry->serial), "GW-%07u", i);
		place_of(i, entry->dispatch_id);
		entry->id = (struct pep_identity){.struct_size = sizeof(entry->id),
						  .state = PEP_DEPLOYED,
						  .created_ms = i,
						  .deployed_ms = i + 1,
						  .serial = entry->serial,
						  .dispatch_id = entry->dispatch_id,
						  .reason = "dress 0",
						  .ou = "dress 0"};
	}
	data_insert(hall->driver, &hall->data);
}

/* The records of a writer are its own: every second one, in an order that jumps. */
static unsigned jump(const struct writer *writer, unsigned step)
{
	unsigned half = (unsigned)writer->hall->data.count / 2;

	return (unsigned)((uint64_t)step * 7919u % half) * 2 + writer->number % 2;
}

static void update_one(struct writer *writer, unsigned step)
{
	struct hall *hall = writer->hall;
	struct entry *entry = &hall->data.entries[jump(writer, step)];
	struct pep_identity id = entry->id;
	char text[24];

	dress(&id, text, step + 1);
	if (store_update(hall->driver, &id) != PEP_OK) {
		hall->failed++;
		return;
	}
	entry->id.revision++;
	hall->updated++;
}

/* Between two records, anywhere in the walk. */
static void insert_one(struct writer *writer, unsigned step)
{
	struct hall *hall = writer->hall;
	unsigned number = jump(writer, step);
	char serial[32], dispatch_id[32], text[24];
	struct pep_identity id = {.struct_size = sizeof(id),
				  .state = PEP_DEPLOYED,
				  .created_ms = -1,
				  .deployed_ms = number + 1,
				  .serial = serial,
				  .dispatch_id = dispatch_id};

	(void)snprintf(serial, sizeof(serial), "IN-%07u", number);
	(void)snprintf(dispatch_id, sizeof(dispatch_id), "%024x", number * 2 + 1);
	dress(&id, text, number);
	if (store_insert(hall->driver, &id) == PEP_OK)
		hall->inserted++;
	else
		hall->failed++;
}

static void *write_on(void *arg)
{
	struct writer *writer = arg;

	/* As many places as there are records; then only the updates go on. */
	for (unsigned step = 0; !writer->hall->done; step++) {
		if (writer->number < 2)
			update_one(writer, step);
		else if (step < writer->hall->data.count / 2)
			insert_one(writer, step);
		else
			return NULL;
	}
	return NULL;
}

static void meet(struct walker *walker, const struct pep_identity *id)
{
	int order = strcmp(id->dispatch_id, walker->last);

	walker->disordered += *walker->last && (walker->query.descending ? order >= 0 : order <= 0);
	walker->torn += !is_dressed(id);
	(void)snprintf(walker->last, sizeof(walker->last), "%s", id->dispatch_id);
	walker->count++;
	if (id->created_ms >= 0 && id->created_ms < (int64_t)walker->hall->data.count)
		walker->twice += walker->seen[id->created_ms]++;
}

/* A fast walk must not be over before the writers have begun. */
static void wait_for_writers(const struct hall *hall)
{
	while (!hall->failed && (hall->updated <= WRITTEN_MEANWHILE || hall->inserted <= WRITTEN_MEANWHILE))
		(void)sched_yield();
}

/* In one go, or page by page as the list in the API does it. */
static void *walk_all(void *arg)
{
	struct walker *walker = arg;
	char after[64];
	unsigned before;

	do {
		const struct pep_identity *id;
		void *scan;

		before = walker->count;
		(void)snprintf(after, sizeof(after), "%s", walker->last);
		walker->query.after = walker->query.limit && *after ? after : NULL;
		scan = walk_open(walker->hall->driver, &walker->query);
		while ((id = walk_next(walker->hall->driver, scan))) {
			meet(walker, id);
			if (walker->count == PAGE_COUNT / 2)
				wait_for_writers(walker->hall);
		}
		walk_close(walker->hall->driver, scan);
	} while (walker->query.limit && walker->count > before);
	for (size_t i = 0; i < walker->hall->data.count; i++)
		walker->missed += !walker->seen[i];
	return NULL;
}

static void walk_with(struct walker *walkers, size_t count, struct hall *hall)
{
	for (size_t i = 0; i < count; i++) {
		walkers[i].hall = hall;
		walkers[i].query.struct_size = sizeof(walkers[i].query);
		walkers[i].seen = calloc(hall->data.count, 1);
		assert_non_null(walkers[i].seen);
		assert_int_equal(pthread_create(&walkers[i].thread, NULL, walk_all, &walkers[i]), 0);
	}
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pthread_join(walkers[i].thread, NULL), 0);
}

static void judge(struct walker *walkers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct walker *walker = &walkers[i];

		if (walker->missed || walker->twice || walker->disordered || walker->torn)
			fail_msg("%s: of %u records %u missed, %u twice, %u out of order, %u not of one piece", walker->name,
				 walker->count, walker->missed, walker->twice, walker->disordered, walker->torn);
		free(walker->seen);
	}
}

static void large_walks_while_others_write(void **state)
{
	struct hall hall = {.driver = *state};
	struct writer writers[WRITER_COUNT];
	struct walker walkers[] = {
		{.name = "all of them"},
		{.name = "newest first", .query = {.descending = 1}},
		{.name = "by state, brief", .query = {.state = PEP_DEPLOYED, .brief = 1}},
		{.name = "by time, newest first", .query = {.deployed_from_ms = 1, .descending = 1}},
		{.name = "page by page", .query = {.limit = PAGE_COUNT, .state = PEP_DEPLOYED}},
	};
	const size_t walker_count = sizeof(walkers) / sizeof(walkers[0]);
	unsigned many = hall.driver->facts->many ? hall.driver->facts->many : MANY_COUNT;

	fill(&hall, many);
	for (unsigned i = 0; i < WRITER_COUNT; i++) {
		writers[i] = (struct writer){.hall = &hall, .number = i};
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
	}
	walk_with(walkers, walker_count, &hall);
	hall.done = true;
	for (unsigned i = 0; i < WRITER_COUNT; i++)
		assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
	judge(walkers, walker_count);
	assert_int_equal(hall.failed, 0);
	/* There was something in the way. */
	assert_true(hall.updated > WRITTEN_MEANWHILE);
	assert_true(hall.inserted > WRITTEN_MEANWHILE);
	assert_int_equal(store_count(hall.driver, SCAN_QUERY(.state = PEP_DEPLOYED)), many + hall.inserted);
	data_free(&hall.data);
}

const struct storage_case storage_large_cases[] = {
	{"large_walks_while_others_write", large_walks_while_others_write},
	{NULL, NULL},
};
