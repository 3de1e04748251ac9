/* SPDX-License-Identifier: Apache-2.0
 *
 * What the plugin says when the database hangs up, changes its primary, is too slow, or is away for a while. On the double, where such
 * faults can be made; it is asked to be one server, or to say that it is a replica set.
 */
#include "mongo_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define THREAD_COUNT 8
#define FAIL(command, what)                                                                                            \
	"{\"configureFailPoint\": \"failCommand\", \"mode\": {\"times\": 1}, \"data\": {\"failCommands\": [\"" command \
	"\"], " what "}}"
#define FAIL_TWICE(command, what)                                                                                      \
	"{\"configureFailPoint\": \"failCommand\", \"mode\": {\"times\": 2}, \"data\": {\"failCommands\": [\"" command \
	"\"], " what "}}"
#define CUT_BEFORE "\"closeConnection\": true"
#define CUT_AFTER "\"closeAfterwards\": true"
#define STEPPED_DOWN "\"errorCode\": 189, \"errorLabels\": [\"RetryableWriteError\"]"
#define TIMED_OUT "\"writeConcernError\": {\"code\": 64, \"errmsg\": \"waiting for replication timed out\"}"

/* One server, and what says that it is a replica set. */
struct worlds {
	struct mongo_world alone, set;
};

static void *open_set(struct mongo_world *world)
{
	mongo_world_next(world);
	mongo_place_uri(&world->place, world->number, "?replicaSet=rs", world->uri);
	return mongo_world_open(world);
}

static void *open_alone(struct mongo_world *world)
{
	mongo_world_next(world);
	return mongo_world_open(world);
}

static bool is_there(struct mongo_world *world, void *store, const char *serial, int64_t revision)
{
	struct pep_identity *id = mongo_world_get(world, store, serial);
	bool found = id && id->revision == revision;

	free(id);
	return found;
}

static pep_status insert(struct mongo_world *world, void *store, const char *serial)
{
	struct pep_error err = {0};
	pep_status status = world->ops->insert(store, MONGO_RECORD(serial), &err);

	if (status != PEP_OK)
		(void)printf("             %s\n", err.message);
	return status;
}

static pep_status update(struct mongo_world *world, void *store, const char *serial, int64_t revision)
{
	struct pep_error err = {0};

	return world->ops->update(store, MONGO_RECORD(serial, .revision = revision, .reason = "changed"), &err);
}

/* Nothing is tried again: whoever asks reads it back. */
static void a_lost_answer_is_unknown(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->alone;
	void *store = open_alone(world);

	mongo_world_do(world, true, FAIL("insert", CUT_BEFORE));
	assert_int_equal(insert(world, store, "before"), PEP_UNKNOWN);
	assert_false(is_there(world, store, "before", 1));
	mongo_world_do(world, true, FAIL("insert", CUT_AFTER));
	assert_int_equal(insert(world, store, "after"), PEP_UNKNOWN);
	assert_true(is_there(world, store, "after", 1));
	mongo_world_do(world, true, FAIL("update", CUT_BEFORE));
	assert_int_equal(update(world, store, "after", 1), PEP_UNKNOWN);
	assert_true(is_there(world, store, "after", 1));
	mongo_world_do(world, true, FAIL("update", CUT_AFTER));
	assert_int_equal(update(world, store, "after", 1), PEP_UNKNOWN);
	assert_true(is_there(world, store, "after", 2));
	/* The next write at the revision read settles it. */
	assert_int_equal(update(world, store, "after", 1), PEP_CONFLICT);
	assert_int_equal(update(world, store, "after", 2), PEP_OK);
	world->ops->close(store);
}

/* The driver tries once more, and the server knows a write that it has done. */
static void a_replica_set_settles_one_lost_answer(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->set;
	void *store = open_set(world);

	mongo_world_do(world, true, FAIL("insert", CUT_BEFORE));
	assert_int_equal(insert(world, store, "before"), PEP_OK);
	mongo_world_do(world, true, FAIL("insert", CUT_AFTER));
	assert_int_equal(insert(world, store, "after"), PEP_OK);
	assert_true(is_there(world, store, "before", 1) && is_there(world, store, "after", 1));
	mongo_world_do(world, true, FAIL("update", CUT_AFTER));
	assert_int_equal(update(world, store, "after", 1), PEP_OK);
	assert_true(is_there(world, store, "after", 2));
	mongo_world_do(world, true, FAIL("update", STEPPED_DOWN));
	assert_int_equal(update(world, store, "after", 2), PEP_OK);
	assert_true(is_there(world, store, "after", 3));
	world->ops->close(store);
}

static void two_lost_answers_are_unknown(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->set;
	void *store = open_set(world);

	mongo_world_do(world, true, FAIL_TWICE("insert", CUT_AFTER));
	assert_int_equal(insert(world, store, "twice"), PEP_UNKNOWN);
	assert_true(is_there(world, store, "twice", 1));
	mongo_world_do(world, true, FAIL_TWICE("update", STEPPED_DOWN));
	assert_int_equal(update(world, store, "twice", 1), PEP_UNKNOWN);
	assert_true(is_there(world, store, "twice", 1));
	world->ops->close(store);
}

/* It is there, but a majority has not said so: it may be gone after an election. */
static void a_write_that_no_majority_has_is_unknown(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->set;
	void *store = open_set(world);

	mongo_world_do(world, true, FAIL("insert", TIMED_OUT));
	assert_int_equal(insert(world, store, "slow"), PEP_UNKNOWN);
	mongo_world_do(world, true, FAIL("update", TIMED_OUT));
	assert_int_equal(update(world, store, "slow", 1), PEP_UNKNOWN);
	assert_true(is_there(world, store, "slow", 2));
	world->ops->close(store);
}

/* Reads change nothing, so the driver may try them again. */
static void a_read_is_tried_again(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->alone;
	void *store = open_alone(world);

	assert_int_equal(insert(world, store, "one"), PEP_OK);
	mongo_world_do(world, true, FAIL("find", CUT_BEFORE));
	assert_true(is_there(world, store, "one", 1));
	world->ops->close(store);
}

struct inserter {
	struct mongo_world *world;
	void *store;
	pthread_barrier_t *barrier;
	pep_status status;
	char serial[32];
	pthread_t thread;
};

static void *insert_one(void *arg)
{
	struct inserter *inserter = arg;
	struct pep_error err = {0};

	(void)pthread_barrier_wait(inserter->barrier);
	inserter->status = inserter->world->ops->insert(inserter->store, MONGO_RECORD(inserter->serial), &err);
	return NULL;
}

/* All at once, so that several connections are in use. */
static void insert_many(struct mongo_world *world, void *store, const char *name)
{
	struct inserter inserters[THREAD_COUNT];
	pthread_barrier_t barrier;

	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREAD_COUNT), 0);
	for (int i = 0; i < THREAD_COUNT; i++) {
		inserters[i] = (struct inserter){.world = world, .store = store, .barrier = &barrier};
		(void)snprintf(inserters[i].serial, sizeof(inserters[i].serial), "%s %d", name, i);
		assert_int_equal(pthread_create(&inserters[i].thread, NULL, insert_one, &inserters[i]), 0);
	}
	for (int i = 0; i < THREAD_COUNT; i++) {
		assert_int_equal(pthread_join(inserters[i].thread, NULL), 0);
		assert_int_equal(inserters[i].status, PEP_OK);
	}
	(void)pthread_barrier_destroy(&barrier);
}

static int64_t now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void expect_away(struct mongo_world *world, void *store)
{
	const struct pep_scan_query query = {.struct_size = sizeof(query), .serial = "here 0"};
	const struct pep_identity *id;
	struct pep_error err = {0};
	void *scan = NULL;
	int64_t start_s = now_s();

	/* The first one finds it out on its broken connection. */
	assert_true(insert(world, store, "away") != PEP_OK);
	assert_int_equal(insert(world, store, "away"), PEP_UNAVAILABLE);
	assert_int_equal(world->ops->ping(store, &err), PEP_UNAVAILABLE);
	assert_int_equal(world->ops->scan_open(store, &query, &scan, &err), PEP_OK);
	assert_int_equal(world->ops->scan_next(scan, &id, &err), PEP_UNAVAILABLE);
	world->ops->scan_close(scan);
	assert_true(now_s() - start_s < 20); /* four times 3 s, and a busy machine */
}

/* The same store goes on by itself, and no connection of before the restart makes a result unknown. */
static void a_restart_is_survived(void **state)
{
	char folder[] = "/tmp/pep-mongo-test-XXXXXX", port[16], log[64];
	const char *first[] = {"--double", "--data", folder, NULL};
	const char *again[] = {"--double", "--data", folder, "--port", port, NULL};
	struct mongo_world world;
	struct pep_error err = {0};
	pep_status status;
	time_t limit;
	void *store;

	(void)state;
	assert_non_null(mkdtemp(folder));
	mongo_world_init(&world, first);
	(void)snprintf(port, sizeof(port), "%s", strrchr(world.place.uri, ':') + 1);
	store = mongo_world_open(&world);
	insert_many(&world, store, "here");
	mongo_place_fini(&world.place);
	expect_away(&world, store);
	mongo_place_init(&world.place, again);
	/* A call waits up to 3 s, or is refused at once after one that waited in vain. */
	limit = time(NULL) + 30;
	do
		status = world.ops->ping(store, &err);
	while (status != PEP_OK && time(NULL) < limit);
	assert_int_equal(status, PEP_OK);
	assert_true(is_there(&world, store, "here 0", 1));
	assert_false(is_there(&world, store, "away", 1));
	insert_many(&world, store, "again");
	world.ops->close(store);
	mongo_world_fini(&world);
	(void)snprintf(log, sizeof(log), "%s/log.bson", folder);
	(void)unlink(log);
	(void)snprintf(log, sizeof(log), "%s/server.log", folder);
	(void)unlink(log);
	assert_int_equal(rmdir(folder), 0);
}

/* A lost connection does not keep the clock from being read. The driver's own greetings may take a failure away, hence the rounds. */
static void the_clock_is_asked_again(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->alone;
	void *store = open_alone(world);
	struct pep_error err = {0};
	int64_t now_ms = 0;

	for (unsigned round = 0; round < 3; round++) {
		mongo_world_do(world, true, FAIL("isMaster", CUT_BEFORE));
		assert_int_equal(world->ops->now(store, &now_ms, &err), PEP_OK);
	}
	world->ops->close(store);
}

static void the_clock_is_the_servers(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->alone;
	void *store = open_alone(world);
	struct pep_error err = {0};
	int64_t now_ms = 0, here_ms = (int64_t)time(NULL) * 1000;

	assert_int_equal(world->ops->now(store, &now_ms, &err), PEP_OK);
	assert_in_range(now_ms, here_ms - 60000, here_ms + 60000);
	world->ops->close(store);
}

int main(void)
{
	const char *const alone[] = {"--double", NULL}, *const set[] = {"--replica-set", "rs", "--double", NULL};
	struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_answer_is_unknown),     cmocka_unit_test(a_replica_set_settles_one_lost_answer),
		cmocka_unit_test(two_lost_answers_are_unknown), cmocka_unit_test(a_write_that_no_majority_has_is_unknown),
		cmocka_unit_test(a_read_is_tried_again),        cmocka_unit_test(a_restart_is_survived),
		cmocka_unit_test(the_clock_is_the_servers),     cmocka_unit_test(the_clock_is_asked_again),
	};
	struct worlds worlds;
	int failed;

	mongo_world_init(&worlds.alone, alone);
	mongo_world_init(&worlds.set, set);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i].initial_state = &worlds;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	mongo_world_fini(&worlds.alone);
	mongo_world_fini(&worlds.set);
	return failed;
}
