/* SPDX-License-Identifier: Apache-2.0
 *
 * What holds when many callers want something at the same time. Threads note what happened; the main thread judges.
 */
#include "storage_cases.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THREAD_COUNT 16u
#define ROUND_COUNT 20u
#define SERIAL_COUNT 6u
#define STEP_COUNT 60u

struct crew {
	struct store_driver *driver;
	pthread_barrier_t barrier;
	/* By round and thread. */
	pep_status results[ROUND_COUNT][THREAD_COUNT];
	/* By serial: how many threads won the step to this revision; and the last one that some caller knows of. */
	atomic_uint wins[SERIAL_COUNT][THREAD_COUNT * STEP_COUNT + 2];
	atomic_llong known[SERIAL_COUNT];
	atomic_uint stale, torn, odd; /* reads that went back, records that are not of one piece, statuses out of place */
	atomic_bool done;
};

struct member {
	struct crew *crew;
	unsigned number;
	pthread_t thread;
};

static struct crew *crew_new(struct store_driver *driver)
{
	struct crew *crew = calloc(1, sizeof(*crew));

	assert_non_null(crew);
	crew->driver = driver;
	assert_int_equal(pthread_barrier_init(&crew->barrier, NULL, THREAD_COUNT), 0);
	return crew;
}

static void crew_free(struct crew *crew)
{
	(void)pthread_barrier_destroy(&crew->barrier);
	free(crew);
}

static void crew_run(struct crew *crew, void *(*work)(void *))
{
	struct member members[THREAD_COUNT];

	for (unsigned i = 0; i < THREAD_COUNT; i++) {
		members[i] = (struct member){.crew = crew, .number = i};
		assert_int_equal(pthread_create(&members[i].thread, NULL, work, &members[i]), 0);
	}
	for (unsigned i = 0; i < THREAD_COUNT; i++)
		assert_int_equal(pthread_join(members[i].thread, NULL), 0);
}

static unsigned count_results(const struct crew *crew, unsigned round, pep_status status)
{
	unsigned count = 0;

	for (unsigned i = 0; i < THREAD_COUNT; i++)
		count += crew->results[round][i] == status;
	return count;
}

static void expect_one_winner_each(const struct crew *crew)
{
	for (unsigned round = 0; round < ROUND_COUNT; round++) {
		assert_int_equal(count_results(crew, round, PEP_OK), 1);
		assert_int_equal(count_results(crew, round, PEP_CONFLICT), THREAD_COUNT - 1);
	}
}

/* Everybody inserts the same serial. */
static void *insert_same(void *arg)
{
	struct member *member = arg;
	struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_CLAIMED, .attempt = member->number + 1};
	char serial[32];

	id.serial = serial;
	for (unsigned round = 0; round < ROUND_COUNT; round++) {
		(void)snprintf(serial, sizeof(serial), "round %u", round);
		(void)pthread_barrier_wait(&member->crew->barrier);
		member->crew->results[round][member->number] = store_insert(member->crew->driver, &id);
	}
	return NULL;
}

static void one_insert_wins(void **state)
{
	struct crew *crew = crew_new(*state);

	crew_run(crew, insert_same);
	expect_one_winner_each(crew);
	for (unsigned round = 0; round < ROUND_COUNT; round++) {
		struct arena arena = {0};
		const struct pep_identity *found;
		char serial[32];

		(void)snprintf(serial, sizeof(serial), "round %u", round);
		found = store_get(crew->driver, &arena, serial);
		assert_non_null(found);
		assert_int_equal(found->revision, 1);
		assert_in_range(found->attempt, 1, THREAD_COUNT);
		assert_int_equal(crew->results[round][found->attempt - 1], PEP_OK);
		arena_fini(&arena);
	}
	crew_free(crew);
}

/* Everybody updates the same revision. */
static void *update_same(void *arg)
{
	struct member *member = arg;
	struct pep_identity id = {
		.struct_size = sizeof(id), .state = PEP_FAILED, .attempt = member->number + 1, .serial = "contended"};

	for (unsigned round = 0; round < ROUND_COUNT; round++) {
		id.revision = round + 1;
		(void)pthread_barrier_wait(&member->crew->barrier);
		member->crew->results[round][member->number] = store_update(member->crew->driver, &id);
	}
	return NULL;
}

static void one_update_wins(void **state)
{
	struct crew *crew = crew_new(*state);
	struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_CLAIMED, .serial = "contended"};
	const struct pep_identity *found;
	struct arena arena = {0};

	assert_int_equal(store_insert(crew->driver, &id), PEP_OK);
	crew_run(crew, update_same);
	expect_one_winner_each(crew);
	found = store_get(crew->driver, &arena, "contended");
	assert_non_null(found);
	assert_int_equal(found->revision, ROUND_COUNT + 1);
	assert_int_equal(crew->results[ROUND_COUNT - 1][found->attempt - 1], PEP_OK);
	arena_fini(&arena);
	crew_free(crew);
}

/* Everybody wants the same dispatch id (even rounds) or enrollment id (odd ones) for a record of their own. */
static void *take_same_key(void *arg)
{
	struct member *member = arg;
	struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_ISSUED};
	char serial[32], key[32];

	id.serial = serial;
	for (unsigned round = 0; round < ROUND_COUNT; round++) {
		(void)snprintf(serial, sizeof(serial), "round %u of %u", round, member->number);
		(void)snprintf(key, sizeof(key), "key %u", round);
		id.dispatch_id = round % 2 ? NULL : key;
		id.enrollment_id = round % 2 ? key : NULL;
		(void)pthread_barrier_wait(&member->crew->barrier);
		member->crew->results[round][member->number] = store_insert(member->crew->driver, &id);
	}
	return NULL;
}

static void one_record_gets_a_key(void **state)
{
	struct crew *crew = crew_new(*state);

	crew_run(crew, take_same_key);
	expect_one_winner_each(crew);
	assert_int_equal(store_count(crew->driver, SCAN_QUERY(.limit = 0)), ROUND_COUNT);
	crew_free(crew);
}

/* All texts of a record are made from its attempt, so a mix of two writes shows. */
struct piece {
	char ou[24], reason[24], history[600];
};

static void make_piece(struct piece *piece, uint32_t attempt)
{
	(void)snprintf(piece->ou, sizeof(piece->ou), "ou %u", attempt);
	(void)snprintf(piece->reason, sizeof(piece->reason), "reason %u", attempt);
	(void)snprintf(piece->history, sizeof(piece->history), "%0*u", (int)(attempt % 500) + 1, attempt);
}

static bool is_one_piece(const struct pep_identity *id)
{
	struct piece piece = {0};

	make_piece(&piece, id->attempt);
	return strcmp(id->ou, piece.ou) == 0 && strcmp(id->reason, piece.reason) == 0 && strcmp(id->history, piece.history) == 0;
}

static pep_status write_piece(struct store_driver *driver, const char *serial, int64_t revision, uint32_t attempt)
{
	struct piece piece = {0};
	const struct pep_identity id = {.struct_size = sizeof(id),
					.state = PEP_CLAIMED,
					.revision = revision,
					.attempt = attempt,
					.serial = serial,
					.ou = piece.ou,
					.reason = piece.reason,
					.history = piece.history};

	make_piece(&piece, attempt);
	return revision == 0 ? store_insert(driver, &id) : store_update(driver, &id);
}

/* Nobody may be told of less than what somebody was told before. */
static void remember(struct crew *crew, unsigned serial, long long revision)
{
	long long known = atomic_load(&crew->known[serial]);

	while (known < revision && !atomic_compare_exchange_weak(&crew->known[serial], &known, revision))
		;
}

/* Read, then write one more: the register of the sequential reference is (revision, attempt). */
static void *read_and_write(void *arg)
{
	struct member *member = arg;
	struct crew *crew = member->crew;
	unsigned random = member->number * 7919 + 1;

	(void)pthread_barrier_wait(&crew->barrier);
	for (unsigned step = 0; step < STEP_COUNT; step++) {
		unsigned number = (random = random * 1103515245u + 12345u) / 65536 % SERIAL_COUNT;
		long long known = atomic_load(&crew->known[number]);
		struct arena arena = {0};
		const struct pep_identity *found;
		int64_t revision;
		pep_status status;
		char serial[32];

		(void)snprintf(serial, sizeof(serial), "serial %u", number);
		found = store_get(crew->driver, &arena, serial);
		revision = found ? found->revision : 0;
		crew->stale += revision < known;
		crew->torn += found && !is_one_piece(found);
		remember(crew, number, revision);
		status = write_piece(crew->driver, serial, revision, (uint32_t)(revision + 1) * 100 + member->number);
		crew->odd += status != PEP_OK && status != PEP_CONFLICT;
		if (status == PEP_OK) {
			(void)atomic_fetch_add(&crew->wins[number][revision + 1], 1);
			remember(crew, number, revision + 1);
		}
		arena_fini(&arena);
	}
	return NULL;
}

static void one_order_for_all(void **state)
{
	struct crew *crew = crew_new(*state);
	unsigned total = 0;

	crew_run(crew, read_and_write);
	assert_int_equal(crew->stale, 0);
	assert_int_equal(crew->torn, 0);
	assert_int_equal(crew->odd, 0);
	for (unsigned number = 0; number < SERIAL_COUNT; number++) {
		struct arena arena = {0};
		const struct pep_identity *found;
		char serial[32];
		int64_t last;

		(void)snprintf(serial, sizeof(serial), "serial %u", number);
		found = store_get(crew->driver, &arena, serial);
		assert_non_null(found);
		assert_true(is_one_piece(found));
		last = found->revision;
		assert_int_equal(found->attempt / 100, last);
		for (int64_t revision = 1; revision <= (int64_t)(THREAD_COUNT * STEP_COUNT); revision++)
			assert_int_equal(crew->wins[number][revision], revision <= last);
		total += (unsigned)last;
		arena_fini(&arena);
	}
	assert_true(total > STEP_COUNT);
	crew_free(crew);
}

/* Thread 0 writes, the others walk: order, no record twice, each of one piece. */
static void *walk_while_written(void *arg)
{
	struct member *member = arg;
	struct crew *crew = member->crew;

	(void)pthread_barrier_wait(&crew->barrier);
	if (member->number == 0) {
		for (unsigned i = 0; i < 400; i++) {
			char serial[32];

			(void)snprintf(serial, sizeof(serial), "walk %03u", i % 100);
			crew->odd += write_piece(crew->driver, serial, i / 100, 1000 + i) != PEP_OK;
		}
		crew->done = true;
	}
	while (!crew->done) {
		const unsigned descending = member->number % 2;
		void *scan = walk_open(crew->driver, SCAN_QUERY(.descending = descending, .limit = member->number * 10));
		const struct pep_identity *id;
		char last[32] = "";

		while ((id = walk_next(crew->driver, scan))) {
			int order = strcmp(id->serial, last);

			crew->odd += *last && (descending ? order >= 0 : order <= 0);
			crew->torn += !is_one_piece(id);
			(void)snprintf(last, sizeof(last), "%s", id->serial);
		}
		walk_close(crew->driver, scan);
	}
	return NULL;
}

static void walks_while_records_change(void **state)
{
	struct crew *crew = crew_new(*state);

	crew_run(crew, walk_while_written);
	assert_int_equal(crew->odd, 0);
	assert_int_equal(crew->torn, 0);
	assert_int_equal(store_count(crew->driver, SCAN_QUERY(.state = PEP_CLAIMED)), 100);
	crew_free(crew);
}

const struct storage_case storage_thread_cases[] = {
	{"one_insert_wins", one_insert_wins},
	{"one_update_wins", one_update_wins},
	{"one_record_gets_a_key", one_record_gets_a_key},
	{"one_order_for_all", one_order_for_all},
	{"walks_while_records_change", walks_while_records_change},
	{NULL, NULL},
};
