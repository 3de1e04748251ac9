/* SPDX-License-Identifier: Apache-2.0
 *
 * What the postgres plugin says, and what is stored, when PostgreSQL goes away, hangs, is busy or takes no writes.
 */
#include "postgres_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define WRITER_COUNT 8u
#define CRASH_COUNT 3u

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static pep_status ping(struct postgres_world *world, void *store)
{
	struct pep_error err = {0};

	return world->ops->ping(store, &err);
}

/* How it comes back: by itself, and soon. */
static void expect_back(struct postgres_world *world, void *store)
{
	int64_t deadline_ms = now_ms() + 30000;

	while (ping(world, store) != PEP_OK)
		assert_true(now_ms() < deadline_ms);
}

static int64_t read_well(struct postgres_world *world, void *store, const char *serial)
{
	pep_status status;
	int64_t revision = postgres_world_read(world, store, serial, &status);

	assert_int_equal(status, PEP_OK);
	return revision;
}

static pep_status update(struct postgres_world *world, void *store, const char *serial, int64_t revision, struct pep_error *err)
{
	const struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_FAILED, .revision = revision, .serial = serial};

	return world->ops->update(store, &id, err);
}

/* An administrator, or a restart, ends what lies idle in the pool: nobody notices, and statements are prepared anew. */
static void idle_connections_that_were_ended(void **state)
{
	struct postgres_world *world = *state;
	void *store = postgres_world_open(world);
	struct pep_error err = {0};

	assert_int_equal(postgres_world_insert(world, store, "one", &err), PEP_OK);
	for (int64_t round = 1; round < 4; round++) {
		(void)postgres_world_sql(world, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
						"WHERE application_name = 'pep-server'");
		assert_int_equal(update(world, store, "one", round, &err), PEP_OK);
		assert_int_equal(read_well(world, store, "one"), round + 1);
	}
	world->ops->close(store);
}

static void a_server_that_is_down(void **state)
{
	struct postgres_world *world = *state;
	void *store = postgres_world_open(world);
	struct pep_error err = {0};
	pep_status status;

	assert_int_equal(postgres_world_insert(world, store, "one", &err), PEP_OK);
	postgres_place_tell(&world->place, "stop");
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(postgres_world_insert(world, store, "two", &err), PEP_UNAVAILABLE);
		assert_non_null(strstr(err.message, "cannot connect to PostgreSQL"));
		assert_int_equal(ping(world, store), PEP_UNAVAILABLE);
		(void)postgres_world_read(world, store, "one", &status);
		assert_int_equal(status, PEP_UNAVAILABLE);
	}
	postgres_place_tell(&world->place, "start");
	expect_back(world, store);
	assert_int_equal(read_well(world, store, "one"), 1);
	assert_int_equal(read_well(world, store, "two"), 0);
	assert_int_equal(postgres_world_insert(world, store, "two", &err), PEP_OK);
	world->ops->close(store);
}

/* A server that holds its connections and says nothing: a write is unknown, and later it may be there. */
static void a_server_that_hangs(void **state)
{
	struct postgres_world *world = *state;
	struct pep_error err = {0};
	pep_status status;
	int64_t begin_ms;
	void *store;

	world->values[POSTGRES_QUERY_TIMEOUT].number = 500;
	world->values[POSTGRES_CONNECT_TIMEOUT].number = 500;
	world->values[POSTGRES_CONNECTIONS].number = 2;
	store = postgres_world_open(world);
	assert_int_equal(postgres_world_insert(world, store, "one", &err), PEP_OK);
	assert_int_equal(update(world, store, "one", 1, &err), PEP_OK);
	postgres_place_tell(&world->place, "pause");
	begin_ms = now_ms();
	assert_int_equal(update(world, store, "one", 2, &err), PEP_UNKNOWN);
	/* A new connection is not answered either, so certainly nothing was sent. */
	assert_int_equal(postgres_world_insert(world, store, "two", &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, "no answer within 500 ms"));
	(void)postgres_world_read(world, store, "one", &status);
	assert_int_equal(status, PEP_UNAVAILABLE);
	assert_true(now_ms() - begin_ms < 10000);
	postgres_place_tell(&world->place, "wake");
	expect_back(world, store);
	/* As the core does it: the next write at the revision that is read settles it. */
	assert_int_equal(update(world, store, "one", read_well(world, store, "one"), &err), PEP_OK);
	assert_int_equal(read_well(world, store, "two"), 0);
	world->ops->close(store);
}

struct busy {
	struct postgres_world *world;
	void *store;
	pep_status status;
	char message[512];
	pthread_t thread;
};

static void *update_locked(void *arg)
{
	struct busy *busy = arg;
	struct pep_error err = {0};

	busy->status = update(busy->world, busy->store, "one", 1, &err);
	(void)snprintf(busy->message, sizeof(busy->message), "%s", err.message);
	return NULL;
}

/* Somebody holds the row: the server's own limit ends the statement, so it is certain that nothing was done. */
static void a_row_that_is_locked(void **state)
{
	struct postgres_world *world = *state;
	struct pep_error err = {0};
	struct busy busy = {.world = world};

	world->values[POSTGRES_QUERY_TIMEOUT].number = 1500;
	world->values[POSTGRES_WAIT_TIMEOUT].number = 100;
	world->values[POSTGRES_CONNECTIONS].number = 1;
	busy.store = postgres_world_open(world);
	assert_int_equal(postgres_world_insert(world, busy.store, "one", &err), PEP_OK);
	(void)postgres_world_sql(world, "BEGIN; SELECT 1 FROM identity FOR UPDATE");
	assert_int_equal(pthread_create(&busy.thread, NULL, update_locked, &busy), 0);
	while (strcmp(postgres_world_sql(world, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"), "0") == 0)
		(void)postgres_world_sql(world, "SELECT pg_stat_clear_snapshot()");
	/* The only connection waits for the lock. */
	assert_int_equal(postgres_world_insert(world, busy.store, "two", &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, "all 1 connections to PostgreSQL were busy for 100 ms"));
	assert_int_equal(pthread_join(busy.thread, NULL), 0);
	assert_int_equal(busy.status, PEP_UNAVAILABLE);
	assert_non_null(strstr(busy.message, "statement timeout"));
	(void)postgres_world_sql(world, "ROLLBACK");
	assert_int_equal(read_well(world, busy.store, "one"), 1);
	assert_int_equal(read_well(world, busy.store, "two"), 0);
	world->ops->close(busy.store);
}

static void set_read_only(struct postgres_world *world, const char *sql, const char *expected)
{
	(void)postgres_world_sql(world, sql);
	(void)postgres_world_sql(world, "SELECT pg_reload_conf()");
	while (strcmp(postgres_world_sql(world, "SHOW default_transaction_read_only"), expected) != 0)
		;
}

static void a_server_that_takes_no_writes(void **state)
{
	struct postgres_world *world = *state;
	void *store = postgres_world_open(world);
	struct pep_error err = {0};

	assert_int_equal(postgres_world_insert(world, store, "one", &err), PEP_OK);
	set_read_only(world, "ALTER SYSTEM SET default_transaction_read_only = on", "on");
	/* The plugin's connection may learn of it later than ours. */
	while (ping(world, store) == PEP_OK)
		;
	assert_int_equal(postgres_world_insert(world, store, "two", &err), PEP_UNAVAILABLE);
	assert_int_equal(postgres_world_insert(world, store, "two", &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, "session is read-only"));
	(void)postgres_world_sql(world, "SET default_transaction_read_only = off");
	(void)postgres_world_sql(world, "ALTER SYSTEM RESET default_transaction_read_only");
	(void)postgres_world_sql(world, "SELECT pg_reload_conf()");
	expect_back(world, store);
	assert_int_equal(postgres_world_insert(world, store, "two", &err), PEP_OK);
	world->ops->close(store);
}

struct storm {
	struct postgres_world *world;
	void *store;
	atomic_bool done;
	atomic_uint confirmed, unknown, odd;
};

struct writer {
	struct storm *storm;
	unsigned number, next; /* serials are of the writer, numbered */
	bool *is_confirmed;    /* by number */
	pthread_t thread;
};
#define SERIALS_MAX 200000u

static void *write_on(void *arg)
{
	struct writer *writer = arg;
	struct storm *storm = writer->storm;

	while (!storm->done && writer->next < SERIALS_MAX) {
		struct pep_error err = {0};
		char serial[32];
		pep_status status;

		(void)snprintf(serial, sizeof(serial), "GW-%u-%u", writer->number, writer->next);
		status = postgres_world_insert(storm->world, storm->store, serial, &err);
		/* What was refused is certainly not there: the same again must not meet itself. */
		storm->odd += status != PEP_OK && status != PEP_UNAVAILABLE && status != PEP_UNKNOWN;
		if (status == PEP_UNAVAILABLE)
			continue;
		storm->confirmed += status == PEP_OK;
		storm->unknown += status == PEP_UNKNOWN;
		writer->is_confirmed[writer->next++] = status == PEP_OK;
	}
	return NULL;
}

static void check_writer(struct storm *storm, const struct writer *writer)
{
	for (unsigned i = 0; i < writer->next; i++) {
		char serial[32];

		(void)snprintf(serial, sizeof(serial), "GW-%u-%u", writer->number, i);
		if (writer->is_confirmed[i] && read_well(storm->world, storm->store, serial) != 1)
			fail_msg("%s was confirmed, and is not there", serial);
	}
}

/* Power cuts under load: what was confirmed is there. */
static void a_server_that_crashes(void **state)
{
	struct postgres_world *world = *state;
	struct storm storm = {.world = world, .store = postgres_world_open(world)};
	struct writer writers[WRITER_COUNT];

	for (unsigned i = 0; i < WRITER_COUNT; i++) {
		writers[i] = (struct writer){.storm = &storm, .number = i, .is_confirmed = calloc(SERIALS_MAX, sizeof(bool))};
		assert_non_null(writers[i].is_confirmed);
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
	}
	for (unsigned crash = 0; crash < CRASH_COUNT; crash++) {
		unsigned enough = storm.confirmed + 100;

		while (storm.confirmed < enough)
			(void)sched_yield();
		postgres_place_tell(&world->place, "kill");
		postgres_place_tell(&world->place, "start");
	}
	expect_back(world, storm.store);
	storm.done = true;
	for (unsigned i = 0; i < WRITER_COUNT; i++)
		assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
	assert_int_equal(storm.odd, 0);
	assert_true(storm.unknown > 0);
	for (unsigned i = 0; i < WRITER_COUNT; i++) {
		check_writer(&storm, &writers[i]);
		free(writers[i].is_confirmed);
	}
	world->ops->close(storm.store);
}

#define TEST(function)                                                                       \
	{                                                                                    \
#function, function, postgres_world_set_up, postgres_world_tear_down, &world \
	}

int main(void)
{
	static struct postgres_world world; /* cmocka takes no argument */
	struct CMUnitTest tests[] = {
		TEST(idle_connections_that_were_ended),
		TEST(a_server_that_is_down),
		TEST(a_server_that_hangs),
		TEST(a_row_that_is_locked),
		TEST(a_server_that_takes_no_writes),
		TEST(a_server_that_crashes),
	};
	int failed;

	postgres_world_init(&world, false);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_world_fini(&world);
	return failed;
}
