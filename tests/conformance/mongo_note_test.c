/* SPDX-License-Identifier: Apache-2.0
 *
 * What the plugin says of a note whose write was not answered, or that somebody else has changed. On the double, where such faults can be
 * made; it is asked to be one server, or to say that it is a replica set.
 */
#include "mongo_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FAIL(command, times, what)                                                                                             \
	"{\"configureFailPoint\": \"failCommand\", \"mode\": {\"times\": " times "}, \"data\": {\"failCommands\": [\"" command \
	"\"], " what "}}"
#define CUT_BEFORE "\"closeConnection\": true"
#define CUT_AFTER "\"closeAfterwards\": true"
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

static pep_status write_note(struct mongo_world *world, void *store, int64_t revision, const char *text)
{
	struct pep_error err = {0};

	return world->ops->note_write(store, "push.mes", revision, text, &err);
}

static void expect(struct mongo_world *world, void *store, int64_t revision, const char *expected)
{
	char *text = malloc(PEP_NOTE_SIZE + 1);
	struct pep_error err = {0};
	int64_t found = -1;

	assert_non_null(text);
	assert_int_equal(world->ops->note_read(store, "push.mes", text, &found, &err), PEP_OK);
	assert_int_equal(found, revision);
	assert_string_equal(text, expected);
	free(text);
}

/* Nothing is tried again: whoever asks reads it back. */
static void a_lost_answer_is_unknown(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->alone;
	void *store = open_alone(world);

	mongo_world_do(world, true, FAIL("insert", "1", CUT_BEFORE));
	assert_int_equal(write_note(world, store, 0, "never sent"), PEP_UNKNOWN);
	expect(world, store, 0, "");
	mongo_world_do(world, true, FAIL("insert", "1", CUT_AFTER));
	assert_int_equal(write_note(world, store, 0, "first"), PEP_UNKNOWN);
	expect(world, store, 1, "first");
	mongo_world_do(world, true, FAIL("update", "1", CUT_AFTER));
	assert_int_equal(write_note(world, store, 1, "second"), PEP_UNKNOWN);
	expect(world, store, 2, "second");
	/* The next write at the revision read settles it. */
	assert_int_equal(write_note(world, store, 1, "late"), PEP_CONFLICT);
	assert_int_equal(write_note(world, store, 2, "third"), PEP_OK);
	expect(world, store, 3, "third");
	world->ops->close(store);
}

/* The driver tries once more, and the server knows a write that it has done; what is lost twice is unknown. */
static void a_replica_set_settles_one_lost_answer(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->set;
	void *store = open_set(world);

	mongo_world_do(world, true, FAIL("insert", "1", CUT_AFTER));
	assert_int_equal(write_note(world, store, 0, "first"), PEP_OK);
	mongo_world_do(world, true, FAIL("update", "1", CUT_AFTER));
	assert_int_equal(write_note(world, store, 1, "second"), PEP_OK);
	expect(world, store, 2, "second");
	mongo_world_do(world, true, FAIL("update", "2", CUT_AFTER));
	assert_int_equal(write_note(world, store, 2, "third"), PEP_UNKNOWN);
	expect(world, store, 3, "third");
	world->ops->close(store);
}

/* It is there, but a majority has not said so: it may be gone after an election. */
static void a_write_that_no_majority_has_is_unknown(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->set;
	void *store = open_set(world);

	mongo_world_do(world, true, FAIL("insert", "1", TIMED_OUT));
	assert_int_equal(write_note(world, store, 0, "first"), PEP_UNKNOWN);
	mongo_world_do(world, true, FAIL("update", "1", TIMED_OUT));
	assert_int_equal(write_note(world, store, 1, "second"), PEP_UNKNOWN);
	expect(world, store, 2, "second");
	world->ops->close(store);
}

static void a_read_is_tried_again(void **state)
{
	struct mongo_world *world = &((struct worlds *)*state)->alone;
	void *store = open_alone(world);

	assert_int_equal(write_note(world, store, 0, "first"), PEP_OK);
	mongo_world_do(world, true, FAIL("find", "1", CUT_BEFORE));
	expect(world, store, 1, "first");
	world->ops->close(store);
}

/* Without a text, without a revision, of another type. */
static void what_is_no_note_is_not_read(void **state)
{
	static const char *const fields[] = {"\"revision\": 1", "\"text\": \"t\"", "\"text\": 5, \"revision\": 1",
					     "\"text\": \"t\", \"revision\": 0", "\"text\": \"t\", \"revision\": \"1\""};
	struct mongo_world *world = &((struct worlds *)*state)->alone;
	char *text = malloc(PEP_NOTE_SIZE + 1);

	assert_non_null(text);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		void *store = open_alone(world);
		struct pep_error err = {0};
		int64_t revision;
		char json[160];

		(void)snprintf(json, sizeof(json), "{\"insert\": \"pep_notes\", \"documents\": [{\"_id\": \"push.mes\", %s}]}",
			       fields[i]);
		mongo_world_do(world, false, json);
		assert_int_equal(world->ops->note_read(store, "push.mes", text, &revision, &err), PEP_INTERNAL);
		assert_non_null(strstr(err.message, "pep_notes"));
		world->ops->close(store);
	}
	free(text);
}

int main(void)
{
	const char *const alone[] = {"--double", NULL}, *const set[] = {"--replica-set", "rs", "--double", NULL};
	struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_answer_is_unknown),
		cmocka_unit_test(a_replica_set_settles_one_lost_answer),
		cmocka_unit_test(a_write_that_no_majority_has_is_unknown),
		cmocka_unit_test(a_read_is_tried_again),
		cmocka_unit_test(what_is_no_note_is_not_read),
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
