/* SPDX-License-Identifier: Apache-2.0
 *
 * subscriber_test.c - one subscriber of one server: order, failures, dead letters, what is noted.
 */
#include "world.h"

static int set_up(void **state)
{
	*state = world_new();
	return 0;
}

static int tear_down(void **state)
{
	world_free(*state);
	return 0;
}

static struct subscriber *start(struct world *world)
{
	const struct subscriber_setup setup = world_setup(world, "line-1/1");

	return world_subscriber(&setup);
}

/* Everything that is deployed, in order, each exactly once. */
static void expect_all(const struct world *world)
{
	assert_int_equal(world->exporter.told_count, world->store.record_count);
	for (size_t i = 1; i < world->exporter.told_count; i++)
		assert_true(strcmp(world->exporter.told[i - 1], world->exporter.told[i]) < 0);
}

static void all_are_told_in_order_and_once(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber;

	world_deploy_many(world, "A", 200);
	subscriber = start(world);
	(void)world_run(subscriber, 0);
	expect_all(world);
	for (unsigned i = 0; i < 300; i++) {
		char serial[16];

		world_now_ms += 500;
		(void)snprintf(serial, sizeof(serial), "B%u", i);
		world_deploy(world, serial, world_now_ms);
		(void)world_run(subscriber, 100);
	}
	(void)world_run(subscriber, 5000);
	expect_all(world);
	world_expect_state(subscriber, SUBSCRIBER_OK);
	assert_int_equal(subscriber_report(subscriber)->backlog, 0);
	assert_int_equal(subscriber_report(subscriber)->delivered, 500);
	subscriber_leave(subscriber);
	subscriber_free(subscriber);
	subscriber = start(world);
	(void)world_run(subscriber, 200000);
	expect_all(world);
	/* What is kept does not grow with what was told. */
	assert_true(strlen(world->store.note) < 300);
	subscriber_free(subscriber);
}

static void idle_it_writes_nothing(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);
	unsigned writes;

	world_deploy_many(world, "A", 5);
	(void)world_run(subscriber, 200000);
	writes = world->store.note_writes;
	assert_in_range(writes, 1, 3);
	(void)world_run(subscriber, 3600000);
	assert_int_equal(world->store.note_writes, writes);
	subscriber_free(subscriber);
}

static void the_first_time_it_begins_now(void **state)
{
	struct world *world = *state;
	struct subscriber_setup setup = world_setup(world, "line-1/1");
	struct subscriber *subscriber;

	setup.from_beginning = false;
	world_deploy_many(world, "OLD", 300);
	world_now_ms += 10;
	subscriber = world_subscriber(&setup);
	(void)world_run(subscriber, 0);
	assert_int_equal(world->exporter.told_count, 0);
	world_deploy(world, "NEW", world_now_ms);
	(void)world_run(subscriber, 200000);
	assert_int_equal(world->exporter.told_count, 1);
	assert_int_equal(world_times(world, "NEW"), 1);
	subscriber_free(subscriber);
	/* Later it goes on, whatever the configuration says. */
	setup.from_beginning = true;
	subscriber = world_subscriber(&setup);
	(void)world_run(subscriber, 200000);
	assert_int_equal(world->exporter.told_count, 1);
	subscriber_free(subscriber);
}

static void what_appears_late_is_told(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world_deploy_many(world, "A", 3);
	(void)world_run(subscriber, 1000);
	assert_int_equal(world->exporter.told_count, 3);
	/* Within the time that cursor.h gives it. */
	world_now_ms += 40000;
	world_deploy_many(world, "B", 3);
	(void)world_run(subscriber, 1000);
	world_deploy(world, "LATE", world_now_ms - 50000);
	(void)world_run(subscriber, 6000);
	assert_int_equal(world_times(world, "LATE"), 1);
	assert_int_equal(world->exporter.told_count, 7);
	subscriber_free(subscriber);
}

/* --- failures --- */

static pep_status fail_some(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms)
{
	(void)id;
	(void)ret_wait_ms;
	if (!exporter->failures)
		return PEP_OK;
	exporter->failures--;
	return PEP_UNAVAILABLE;
}

static pep_status refuse_one(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms)
{
	(void)ret_wait_ms;
	return exporter->poison && strcmp(id->serial, exporter->poison) == 0 ? PEP_INVALID : PEP_OK;
}

static pep_status refuse_all(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms)
{
	(void)exporter;
	(void)id;
	(void)ret_wait_ms;
	return PEP_CONFLICT;
}

static pep_status ask_to_wait(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms)
{
	(void)id;
	*ret_wait_ms = 77000;
	return exporter->calls == 1 ? PEP_UNAVAILABLE : PEP_OK;
}

static void an_outage_is_waited_out(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);
	int64_t begun_ms = world_now_ms, last_ms = 0;
	unsigned calls = 0;

	world->exporter.answer = fail_some;
	world->exporter.failures = 500;
	world_deploy_many(world, "A", 20);
	(void)world_run(subscriber, 0);
	world_expect_state(subscriber, SUBSCRIBER_FAILING);
	assert_int_equal(subscriber_report(subscriber)->backlog, 20);
	/* The times between two calls double, less a quarter at most, up to five minutes. */
	for (unsigned i = 0; i < 30; i++) {
		int64_t most_ms = i < 9 ? INT64_C(1000) << i : 300000;

		calls = world->exporter.calls;
		last_ms = world_now_ms;
		while (world->exporter.calls == calls) {
			bool is_patient;
			int64_t wait_ms = subscriber_turn(subscriber, &is_patient);

			assert_false(is_patient && world->exporter.calls == calls); /* nothing wakes it before its time */
			if (world->exporter.calls == calls)
				world_now_ms += wait_ms;
		}
		assert_string_equal(world->exporter.last, "A0");
		assert_in_range(world_now_ms - last_ms, most_ms * 3 / 4, most_ms);
	}
	/* However long it lasts, nothing is set aside. */
	(void)world_run(subscriber, INT64_C(48) * 3600000);
	assert_int_equal(world->exporter.failures, 0);
	expect_all(world);
	world_expect_state(subscriber, SUBSCRIBER_OK);
	assert_string_equal(subscriber_report(subscriber)->error, "");
	assert_true(world_now_ms > begun_ms);
	subscriber_free(subscriber);
}

static void it_waits_as_it_is_asked_to(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world->exporter.answer = ask_to_wait;
	world_deploy(world, "A", world_now_ms);
	(void)world_run(subscriber, 76900);
	assert_int_equal(world->exporter.calls, 1);
	(void)world_run(subscriber, 1100);
	assert_int_equal(world->exporter.calls, 2);
	subscriber_free(subscriber);
}

static void what_is_refused_is_set_aside_and_the_next_follows(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world->exporter.answer = refuse_one;
	world->exporter.poison = "A1";
	world_deploy_many(world, "A", 4);
	(void)world_run(subscriber, 500);
	assert_int_equal(world->exporter.told_count, 1); /* the order is kept while there is hope */
	(void)world_run(subscriber, 5000);
	assert_int_equal(world->exporter.told_count, 3);
	assert_int_equal(world_times(world, "A1"), 0);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 1);
	assert_non_null(strstr(world->store.note, "\"serial\":\"A1\""));
	subscriber_free(subscriber);
	/* Once more with a new start, in vain; and then with success. */
	subscriber = start(world);
	world->exporter.calls = 0;
	(void)world_run(subscriber, 60000);
	assert_int_equal(world->exporter.calls, 1);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 1);
	subscriber_free(subscriber);
	world->exporter.poison = NULL;
	subscriber = start(world);
	(void)world_run(subscriber, 1000);
	assert_int_equal(world_times(world, "A1"), 1);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 0);
	assert_null(strstr(world->store.note, "A1"));
	subscriber_free(subscriber);
}

static void a_dead_letter_is_tried_again_after_an_outage(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world->exporter.answer = refuse_one;
	world->exporter.poison = "A0";
	world_deploy(world, "A0", world_now_ms);
	(void)world_run(subscriber, 10000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 1);
	world->exporter.answer = fail_some;
	world->exporter.failures = 2;
	world_deploy(world, "A1", world_now_ms);
	(void)world_run(subscriber, 10000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 0);
	assert_int_equal(world_times(world, "A0"), 1);
	subscriber_free(subscriber);
}

static pep_status away(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms)
{
	(void)exporter;
	(void)id;
	(void)ret_wait_ms;
	return PEP_UNAVAILABLE;
}

/* Its one more try is not used up while nobody is there to take it. */
static void a_dead_letter_waits_for_one_who_is_away(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world->exporter.answer = refuse_one;
	world->exporter.poison = "A0";
	world_deploy(world, "A0", world_now_ms);
	(void)world_run(subscriber, 10000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 1);
	subscriber_free(subscriber);
	world->exporter.answer = away;
	world->exporter.calls = 0;
	subscriber = start(world);
	(void)world_run(subscriber, 300000);
	assert_in_range(world->exporter.calls, 2, 6);
	world->exporter.answer = NULL;
	(void)world_run(subscriber, 60000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 0);
	assert_int_equal(world_times(world, "A0"), 1);
	subscriber_free(subscriber);
}

/* Nor while a turn has no time left for it. */
static pep_status slow(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms)
{
	(void)exporter;
	(void)id;
	(void)ret_wait_ms;
	world_now_ms += 700;
	return PEP_OK;
}

static void all_dead_letters_are_tried_by_a_slow_one(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world->exporter.answer = refuse_all;
	world_deploy_many(world, "A", 10);
	(void)world_run(subscriber, 3600000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 10);
	subscriber_free(subscriber);
	world->exporter.answer = slow;
	subscriber = start(world);
	(void)world_run(subscriber, 60000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 0);
	assert_int_equal(world->exporter.told_count, 10);
	subscriber_free(subscriber);
}

static void a_dead_letter_may_become_obsolete(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world->exporter.answer = refuse_one;
	world->exporter.poison = "A0";
	world_deploy_many(world, "A", 1);
	(void)world_run(subscriber, 10000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 1);
	world_find(world, "A0")->state = PEP_RETIRED;
	subscriber_free(subscriber);
	subscriber = start(world);
	(void)world_run(subscriber, 1000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 0);
	assert_int_equal(world->exporter.told_count, 0);
	subscriber_free(subscriber);
}

/* Bounded, and nothing is lost for it: then it waits. */
static void when_the_dead_letters_are_full_it_waits(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world->exporter.answer = refuse_all;
	world_deploy_many(world, "A", 70);
	(void)world_run(subscriber, 3600000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 64);
	assert_string_equal(world->exporter.last, "A64");
	assert_int_equal(subscriber_report(subscriber)->backlog, 6);
	world->exporter.answer = NULL;
	(void)world_run(subscriber, 400000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 0);
	for (unsigned i = 0; i < 70; i++) {
		char serial[16];

		(void)snprintf(serial, sizeof(serial), "A%u", i);
		assert_int_equal(world_times(world, serial), 1);
	}
	subscriber_free(subscriber);
}

/* A late one that fails stays the next one, though newer ones were told before it appeared. */
static void a_late_one_that_is_refused_is_counted(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world_deploy_many(world, "A", 3);
	(void)world_run(subscriber, 1000);
	world->exporter.answer = refuse_one;
	world->exporter.poison = "LATE";
	world_deploy(world, "LATE", world_now_ms - 20000);
	(void)world_run(subscriber, 6000);
	world_deploy_many(world, "B", 3);
	(void)world_run(subscriber, 10000);
	assert_int_equal(subscriber_report(subscriber)->dead_letters, 1);
	assert_int_equal(world->exporter.told_count, 6);
	subscriber_free(subscriber);
}

static void what_fails_and_is_retired_is_forgotten(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world->exporter.answer = fail_some;
	world->exporter.failures = 3;
	world_deploy(world, "A", world_now_ms);
	(void)world_run(subscriber, 0);
	world_expect_state(subscriber, SUBSCRIBER_FAILING);
	world_find(world, "A")->state = PEP_RETIRED;
	(void)world_run(subscriber, 10000);
	world_expect_state(subscriber, SUBSCRIBER_OK);
	assert_int_equal(world->exporter.calls, 1);
	subscriber_free(subscriber);
}

static void a_stop_is_no_failure(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);
	bool is_patient;

	(void)world_run(subscriber, 0);
	world->exporter.answer = refuse_all;
	world_deploy(world, "A", world_now_ms);
	atomic_store(&world->stopping, true);
	(void)subscriber_turn(subscriber, &is_patient);
	assert_int_equal(world->exporter.calls, 0);
	world_expect_state(subscriber, SUBSCRIBER_OK);
	subscriber_free(subscriber);
}

/* --- the store --- */

static void a_store_that_is_away_is_waited_for(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber = start(world);

	world_deploy_many(world, "A", 3);
	(void)world_run(subscriber, 1000);
	world->store.is_away = true;
	world_deploy_many(world, "B", 3);
	(void)world_run(subscriber, 60000);
	world_expect_state(subscriber, SUBSCRIBER_WAITING);
	world->store.is_away = false;
	(void)world_run(subscriber, 2000);
	world_expect_state(subscriber, SUBSCRIBER_OK);
	expect_all(world);
	subscriber_free(subscriber);
}

static void a_lost_answer_of_a_write_changes_nothing(void **state)
{
	static const enum write_fault faults[] = {WRITE_AWAY, WRITE_UNKNOWN_DONE, WRITE_UNKNOWN_NOT};
	struct world *world = *state;
	struct subscriber *subscriber;

	for (size_t i = 0; i < 3; i++) {
		world->store.write_fault = faults[i]; /* of taking it, the first time */
		subscriber = start(world);
		world_deploy_many(world, i == 0 ? "A" : i == 1 ? "B" : "C", 3);
		(void)world_run(subscriber, 3000);
		world->store.write_fault = faults[i]; /* of noting how far it is */
		world_deploy_many(world, i == 0 ? "D" : i == 1 ? "E" : "F", 3);
		(void)world_run(subscriber, 5000);
		assert_int_equal(world->store.write_fault, WRITE_WELL);
		expect_all(world);
		subscriber_free(subscriber);
	}
	subscriber = start(world);
	(void)world_run(subscriber, 5000);
	expect_all(world);
	subscriber_free(subscriber);
}

static void a_damaged_note_is_not_overwritten(void **state)
{
	struct world *world = *state;
	struct subscriber *subscriber;

	world->store.note_revision = 3;
	(void)snprintf(world->store.note, sizeof(world->store.note), "{\"format\":2}");
	world_deploy_many(world, "A", 3);
	subscriber = start(world);
	(void)world_run(subscriber, 10000);
	world_expect_state(subscriber, SUBSCRIBER_WAITING);
	assert_non_null(strstr(subscriber_report(subscriber)->error, "push.mes"));
	assert_int_equal(world->store.note_revision, 3);
	assert_int_equal(world->exporter.calls, 0);
	subscriber_free(subscriber);
}

static void without_notes_a_file_does(void **state)
{
	struct world *world = *state;
	struct subscriber_setup setup = world_setup(world, "line-1/1");
	struct subscriber *subscriber;
	char path[64];

	assert_non_null(mkdtemp(world->data_dir));
	world->store.has_notes = false;
	world_deploy_many(world, "A", 10);
	subscriber = world_subscriber(&setup);
	(void)world_run(subscriber, 1000);
	subscriber_free(subscriber);
	subscriber = world_subscriber(&setup);
	(void)world_run(subscriber, 1000);
	subscriber_free(subscriber);
	expect_all(world);
	(void)snprintf(path, sizeof(path), "%s/push/mes.json", world->data_dir);
	assert_int_equal(remove(path), 0);
	(void)snprintf(path, sizeof(path), "%s/push", world->data_dir);
	assert_int_equal(remove(path), 0); /* and nothing else was in it */
	assert_int_equal(remove(world->data_dir), 0);
}

static void a_shared_store_without_notes_is_refused(void **state)
{
	struct world *world = *state;
	struct subscriber_setup setup = world_setup(world, "line-1/1");
	struct subscriber *subscriber = NULL;
	struct pep_error err = {0};

	world->store.has_notes = false;
	world->store.flags = PEP_STORAGE_SHARED;
	assert_int_equal(subscriber_new(&setup, &subscriber, &err), PEP_UNSUPPORTED);
	assert_non_null(strstr(err.message, "keeps no notes"));
	assert_null(subscriber);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_are_told_in_order_and_once),
		TEST(idle_it_writes_nothing),
		TEST(the_first_time_it_begins_now),
		TEST(what_appears_late_is_told),
		TEST(an_outage_is_waited_out),
		TEST(it_waits_as_it_is_asked_to),
		TEST(what_is_refused_is_set_aside_and_the_next_follows),
		TEST(a_dead_letter_is_tried_again_after_an_outage),
		TEST(a_dead_letter_waits_for_one_who_is_away),
		TEST(all_dead_letters_are_tried_by_a_slow_one),
		TEST(a_dead_letter_may_become_obsolete),
		TEST(when_the_dead_letters_are_full_it_waits),
		TEST(a_late_one_that_is_refused_is_counted),
		TEST(what_fails_and_is_retired_is_forgotten),
		TEST(a_stop_is_no_failure),
		TEST(a_store_that_is_away_is_waited_for),
		TEST(a_lost_answer_of_a_write_changes_nothing),
		TEST(a_damaged_note_is_not_overwritten),
		TEST(without_notes_a_file_does),
		TEST(a_shared_store_without_notes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
