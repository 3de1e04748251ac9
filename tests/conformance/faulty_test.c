/* SPDX-License-Identifier: Apache-2.0
 *
 * The faults that the faulty plugin makes are what the contract calls them.
 */
#include "faulty_place.h"
#include "storage_driver.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct world {
	struct faulty_place *place;
	struct storage_facts facts;
	struct store_driver driver;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return -1;
	world->place = faulty_place_new();
	world->facts = faulty_place_facts(world->place);
	store_open(&world->driver, &world->facts, 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	store_close(&world->driver);
	faulty_place_free(world->place);
	free(world);
	return 0;
}

static pep_status write_state(struct world *world, const char *serial, int64_t revision, uint32_t record_state)
{
	const struct pep_identity id = {.struct_size = sizeof(id), .state = record_state, .revision = revision, .serial = serial};

	return revision ? store_update(&world->driver, &id) : store_insert(&world->driver, &id);
}

static int64_t revision_of(struct world *world, const char *serial)
{
	struct arena arena = {0};
	const struct pep_identity *id = store_get(&world->driver, &arena, serial);
	int64_t revision = id ? id->revision : 0;

	arena_fini(&arena);
	return revision;
}

static void writes_that_are_lost_or_not(void **state)
{
	static const struct {
		const char *rules;
		pep_status status;
		bool is_applied;
	} faults[] = {
		{"call=write fault=unavailable", PEP_UNAVAILABLE, false},
		{"call=write fault=unknown-applied", PEP_UNKNOWN, true},
		{"call=write fault=unknown-not-applied", PEP_UNKNOWN, false},
		{"call=write fault=slow ms=20", PEP_OK, true},
		{"# nothing\n\ncall=read fault=pass", PEP_OK, true},
	};
	struct world *world = *state;
	int64_t revision = 1;

	assert_int_equal(write_state(world, "updated", 0, PEP_CLAIMED), PEP_OK);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		char serial[16];

		(void)snprintf(serial, sizeof(serial), "new %zu", i);
		faulty_place_rules(world->place, faults[i].rules);
		assert_int_equal(write_state(world, serial, 0, PEP_CLAIMED), faults[i].status);
		assert_int_equal(write_state(world, "updated", revision, PEP_FAILED), faults[i].status);
		revision += faults[i].is_applied;
		assert_int_equal(revision_of(world, serial), faults[i].is_applied);
		assert_int_equal(revision_of(world, "updated"), revision);
		/* A refusal stays one, unless it is not asked for. */
		if (faults[i].is_applied)
			assert_int_equal(write_state(world, serial, 0, PEP_CLAIMED), PEP_CONFLICT);
	}
}

static void wait_for_revision(struct world *world, const char *serial, int64_t revision)
{
	const struct timespec tick = {0, 1000000};

	/* Bounded by the test's own time limit. */
	while (revision_of(world, serial) != revision)
		(void)nanosleep(&tick, NULL);
}

static void writes_that_come_late(void **state)
{
	struct world *world = *state;

	faulty_place_rules(world->place, "call=write serial=late ms=500 fault=unknown-late");
	assert_int_equal(write_state(world, "late", 0, PEP_CLAIMED), PEP_UNKNOWN);
	assert_int_equal(revision_of(world, "late"), 0);
	wait_for_revision(world, "late", 1);
	/* One that comes too late is refused: the revision has moved. */
	assert_int_equal(write_state(world, "late", 1, PEP_FAILED), PEP_UNKNOWN);
	faulty_place_rules(world->place, "");
	assert_int_equal(write_state(world, "late", 1, PEP_CONTACTED), PEP_OK);
	store_close(&world->driver); /* waits for it */
	store_open(&world->driver, &world->facts, 0);
	assert_int_equal(revision_of(world, "late"), 2);
	assert_int_equal(store_count(&world->driver, SCAN_QUERY(.state = PEP_CONTACTED)), 1);
}

static void only_what_a_rule_names(void **state)
{
	struct world *world = *state;
	struct pep_error err = {0};
	void *scan = NULL;

	assert_int_equal(write_state(world, "GW-1", 0, PEP_CLAIMED), PEP_OK);
	faulty_place_rules(world->place, "call=update state=issued serial=GW-1 skip=1 times=2 fault=unavailable\n"
					 "call=insert serial=GX fault=unavailable\n"
					 "call=get serial=GW-2 fault=unavailable\n"
					 "call=next skip=1 fault=unavailable\n"
					 "call=ping fault=unavailable\n"
					 "call=count times=1 fault=unavailable\n");
	assert_int_equal(write_state(world, "GW-3", 0, PEP_ISSUED), PEP_OK);
	assert_int_equal(write_state(world, "GX-3", 0, PEP_ISSUED), PEP_UNAVAILABLE);
	assert_int_equal(write_state(world, "GW-3", 1, PEP_ISSUED), PEP_OK);
	assert_int_equal(write_state(world, "GW-1", 1, PEP_FAILED), PEP_OK);
	assert_int_equal(write_state(world, "GW-1", 2, PEP_ISSUED), PEP_OK);
	assert_int_equal(write_state(world, "GW-1", 3, PEP_ISSUED), PEP_UNAVAILABLE);
	assert_int_equal(write_state(world, "GW-1", 3, PEP_ISSUED), PEP_UNAVAILABLE);
	assert_int_equal(write_state(world, "GW-1", 3, PEP_ISSUED), PEP_OK);
	assert_int_equal(revision_of(world, "GW-1"), 4);
	assert_int_equal(world->driver.ops->ping(world->driver.store, &err), PEP_UNAVAILABLE);
	assert_int_equal(world->driver.ops->scan_open(world->driver.store, SCAN_QUERY(.serial = "GW-2"), &scan, &err),
			 PEP_UNAVAILABLE);
	/* A walk breaks off in the middle. */
	assert_int_equal(world->driver.ops->scan_open(world->driver.store, SCAN_QUERY(.limit = 0), &scan, &err), PEP_OK);
	assert_non_null(walk_next(&world->driver, scan));
	assert_int_equal(world->driver.ops->scan_next(scan, &(const struct pep_identity *){NULL}, &err), PEP_UNAVAILABLE);
	walk_close(&world->driver, scan);
}

struct held {
	struct world *world;
	atomic_bool done;
	pep_status status;
};

static void *write_held(void *arg)
{
	struct held *held = arg;

	held->status = write_state(held->world, "held", 0, PEP_CLAIMED);
	held->done = true;
	return NULL;
}

static void a_call_that_is_held(void **state)
{
	struct held held = {.world = *state};
	pthread_t thread;

	faulty_place_rules(held.world->place, "call=insert serial=held fault=hold");
	assert_int_equal(pthread_create(&thread, NULL, write_held, &held), 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(revision_of(held.world, "held"), 0);
		assert_false(held.done);
	}
	faulty_place_rules(held.world->place, "");
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(held.status, PEP_OK);
	assert_int_equal(revision_of(held.world, "held"), 1);
}

static void rules_that_are_none(void **state)
{
	static const char *const wrong[] = {"call=insert",
					    "fault=slow",
					    "call=all fault=slow",
					    "call=insert fault=bad",
					    "call=any slow",
					    "call=write state=gone fault=slow",
					    "call=any ms=1s fault=slow",
					    "call=any fault=pass\ncall=any nth=1 fault=slow"};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		faulty_place_rules(world->place, wrong[i]);
		assert_int_equal(write_state(world, "GW-1", 0, PEP_CLAIMED), PEP_INVALID);
	}
	faulty_place_rules(world->place, "");
	assert_int_equal(write_state(world, "GW-1", 0, PEP_CLAIMED), PEP_OK);
}

static void wrong_plugins(void **state)
{
	struct world *world = *state;
	union pep_value values[] = {{.text = "/nowhere.so"}, {.text = ""}, {.text = world->place->rules}};
	struct pep_error err = {0};
	void *store = NULL;

	assert_int_equal(world->driver.ops->open(&world->driver.host, values, &store, &err), PEP_INVALID);
	assert_non_null(strstr(err.message, "/nowhere.so"));
	values[0].text = PEP_TEST_PLUGIN_DIR "/sqlite.so";
	values[1].text = "pathh=x.db";
	assert_int_equal(world->driver.ops->open(&world->driver.host, values, &store, &err), PEP_INVALID);
	assert_non_null(strstr(err.message, "\"path\""));
	assert_null(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_that_are_lost_or_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(writes_that_come_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_what_a_rule_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_call_that_is_held, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rules_that_are_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_plugins, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
