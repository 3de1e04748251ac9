/* SPDX-License-Identifier: Apache-2.0 */
#include "../provision/fake_store.h"
#include "core/command/command.h"
#include "core/command/migration.h"
#include "core/command/store_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#include <stdatomic.h>

#define COUNT 14u /* records: each state twice */

/* What the stubs below know. */
static char said[8192];
static atomic_bool is_stopping;

int command_complain(int exit_code, const char *format, ...)
{
	size_t size = strlen(said);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(said + size, sizeof(said) - size, format, arguments);
	va_end(arguments);
	return exit_code;
}

bool store_stopping(void)
{
	return atomic_load(&is_stopping);
}

struct world {
	struct storage source, target;
	struct migration migration;
};

static struct pep_identity record(unsigned i, char serial[16], char dispatch_id[32])
{
	(void)snprintf(serial, 16, "GW-%02u", (i * 5) % COUNT);
	(void)snprintf(dispatch_id, 32, "%024x", i);
	return (struct pep_identity){.struct_size = sizeof(struct pep_identity),
				     .state = 1 + i % 7,
				     .revision = 3,
				     .created_ms = 1000 + i,
				     .lease_until_ms = i % 7 < 3 ? STORE_START_MS : 0,
				     .attempt = 1 + i,
				     .serial = serial,
				     .dispatch_id = i % 2 ? dispatch_id : NULL,
				     .verification_key = "key",
				     .idempotency_key = "again",
				     .history = "[{\"attempt\":1}]"};
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	char serial[16], dispatch_id[32];

	assert_non_null(world);
	said[0] = '\0';
	atomic_store(&is_stopping, false);
	fake_store_init(&world->source);
	fake_store_init(&world->target);
	world->source.now_ms = world->target.now_ms = STORE_START_MS;
	for (unsigned i = 0; i < COUNT; i++) {
		const struct pep_identity id = record(i, serial, dispatch_id);

		fake_store_put(&world->source, &id);
	}
	world->migration = (struct migration){.source = &world->source, .target = &world->target};
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	assert_int_equal(world->source.open_scans, 0);
	assert_int_equal(world->target.open_scans, 0);
	fake_store_fini(&world->source);
	fake_store_fini(&world->target);
	free(world);
	return 0;
}

/* As the command does it. */
static int migrate(struct world *world)
{
	struct migration *migration = &world->migration;
	int code;

	*migration = (struct migration){.source = &world->source, .target = &world->target};
	code = migration_survey(migration);
	if (code == COMMAND_DONE)
		code = migration_look(migration);
	if (code == COMMAND_DONE)
		code = migration_copy(migration);
	return code == COMMAND_DONE ? migration_verify(migration) : code;
}

static void assert_said(const char *text)
{
	if (!strstr(said, text))
		fail_msg("\"%s\" is not in \"%s\"", text, said);
}

static void assert_all_there(struct world *world)
{
	assert_int_equal(world->target.record_count, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		const struct pep_identity *copy = fake_store_record(&world->target, world->source.records[i].serial);

		assert_non_null(copy);
		assert_true(canonical_equal(copy, &world->source.records[i]));
		assert_int_equal(copy->revision, 1);
	}
}

static void all_states_are_copied_whole(void **state)
{
	struct world *world = *state;

	assert_int_equal(migrate(world), COMMAND_DONE);
	assert_int_equal(world->migration.copied_count, COUNT);
	assert_all_there(world);
}

static void a_second_run_copies_nothing(void **state)
{
	struct world *world = *state;

	assert_int_equal(migrate(world), COMMAND_DONE);
	assert_int_equal(migrate(world), COMMAND_DONE);
	assert_int_equal(world->migration.present_count, COUNT);
	assert_int_equal(world->migration.copied_count, 0);
	assert_int_equal(world->target.calls[STORE_INSERT], COUNT);
}

static void a_run_goes_on_where_one_was_killed(void **state)
{
	struct world *world = *state;
	char serial[16], dispatch_id[32];

	for (unsigned i = 3; i < COUNT; i += 3) {
		struct pep_identity id = record(i, serial, dispatch_id);

		id.revision = 1;
		fake_store_put(&world->target, &id);
	}
	assert_int_equal(migrate(world), COMMAND_DONE);
	assert_int_equal(world->migration.present_count + world->migration.copied_count, COUNT);
	assert_int_equal(world->target.calls[STORE_INSERT], world->migration.copied_count);
	assert_all_there(world);
}

static void a_valid_lease_is_waited_for(void **state)
{
	struct world *world = *state;

	world->source.now_ms = STORE_START_MS - 1;
	assert_int_equal(migrate(world), COMMAND_UNSAFE);
	assert_said("6 serials are being worked on");
	assert_said("until 1970-01-12T13:46:41Z");
	assert_int_equal(world->target.record_count, 0);
}

static void an_empty_source_is_a_wrong_one(void **state)
{
	struct world *world = *state;

	world->source.record_count = 0;
	assert_int_equal(migrate(world), COMMAND_UNSAFE);
	assert_said("holds no records");
}

static void a_foreign_record_in_the_target_is_refused(void **state)
{
	const struct pep_identity foreign = {.struct_size = sizeof(foreign), .state = PEP_DEPLOYED, .serial = "OTHER-1"};
	struct world *world = *state;

	fake_store_put(&world->target, &foreign);
	assert_int_equal(migrate(world), COMMAND_UNSAFE);
	assert_said("OTHER-1 is in --to only");
	assert_int_equal(world->target.calls[STORE_INSERT], 0);
}

static void a_different_record_in_the_target_is_refused(void **state)
{
	char serial[16], dispatch_id[32];
	struct pep_identity other = record(4, serial, dispatch_id);
	struct world *world = *state;

	other.history = NULL;
	fake_store_put(&world->target, &other);
	assert_int_equal(migrate(world), COMMAND_UNSAFE);
	assert_said("GW-06 is in --to and differs");
	assert_int_equal(world->target.calls[STORE_INSERT], 0);
	assert_null(fake_store_record(&world->target, serial)->history);
}

static void one_store_with_two_names_is_found_out(void **state)
{
	struct world *world = *state;

	world->migration.target = &world->source;
	assert_int_equal(migration_survey(&world->migration), COMMAND_DONE);
	assert_int_equal(migration_look(&world->migration), COMMAND_UNSAFE);
	assert_said("one and the same store");
}

static void lost_answers_are_settled(void **state)
{
	const enum store_fault faults[] = {STORE_UNKNOWN_NOW, STORE_UNKNOWN_NEVER, STORE_AWAY, STORE_TIMEOUT_NOW};
	struct world *world = *state;

	for (unsigned i = 0; i < 4; i++)
		fake_store_script(&world->target, STORE_INSERT, 2 + 3 * i, faults[i]);
	assert_int_equal(migrate(world), COMMAND_DONE);
	assert_all_there(world);
}

static void arrive(struct storage *store, void *context)
{
	bool *is_applied = context;

	*is_applied = fake_store_settle(store);
}

/* The insert whose answer was lost arrives between the look whether it did and the next try. */
static void a_late_insert_is_ours(void **state)
{
	struct world *world = *state;
	bool is_applied = false;

	for (size_t i = 0; i < COUNT; i++)
		world->source.records[i].revision = 0; /* so that the fake knows an insert when it arrives late */
	fake_store_script(&world->target, STORE_INSERT, 3, STORE_UNKNOWN_LATER);
	fake_store_meanwhile(&world->target, STORE_INSERT, COUNT + 1, arrive, &is_applied);
	assert_int_equal(migrate(world), COMMAND_DONE);
	assert_true(is_applied);
	assert_all_there(world);
}

static void a_different_record_that_comes_late_is_reported(void **state)
{
	char serial[16], dispatch_id[32];
	struct pep_identity other = record(4, serial, dispatch_id);
	struct world *world = *state;

	other.reason = "somebody else wrote this";
	fake_store_put(&world->target, &other);
	/* As if the target had been empty when it was looked at, and as if it had not. */
	for (int64_t present = 0; present < 2; present++) {
		world->migration.present_count = present;
		assert_int_equal(migration_copy(&world->migration), COMMAND_DIFFERENT);
		assert_said("GW-06 is not copied");
		assert_string_equal(fake_store_record(&world->target, serial)->reason, "somebody else wrote this");
		said[0] = '\0';
	}
}

static void a_broken_target_ends_it(void **state)
{
	struct world *world = *state;

	fake_store_script(&world->target, STORE_INSERT, 5, STORE_BROKEN);
	assert_int_equal(migrate(world), COMMAND_FAILED);
	assert_said("the fake store is broken; run the same command again");
	fake_store_heal(&world->target);
	assert_int_equal(migrate(world), COMMAND_DONE);
	assert_all_there(world);
}

static void a_broken_source_ends_it(void **state)
{
	struct world *world = *state;

	/* The first walk reads COUNT records and the end. */
	fake_store_script(&world->source, STORE_SCAN_NEXT, COUNT + 1 + 4, STORE_BROKEN);
	assert_int_equal(migrate(world), COMMAND_FAILED);
	fake_store_heal(&world->source);
	assert_int_equal(migrate(world), COMMAND_DONE);
	assert_all_there(world);
}

static void an_id_that_another_record_has_is_reported(void **state)
{
	const struct pep_identity thief = {.struct_size = sizeof(thief),
					   .state = PEP_DEPLOYED,
					   .serial = "OTHER-1",
					   .dispatch_id = "000000000000000000000003"};
	struct world *world = *state;

	/* Written behind our back, after the target was looked at. */
	fake_store_put(&world->target, &thief);
	assert_int_equal(migration_copy(&world->migration), COMMAND_DIFFERENT);
	assert_said("GW-01 is not copied: the fake store has it otherwise");
	assert_int_equal(world->migration.copied_count, COUNT - 1);
}

static void write_elsewhere(struct storage *store, void *context)
{
	(void)context;
	store->records[2].reason = "somebody else wrote this";
}

static void a_source_that_changes_is_found_out(void **state)
{
	struct world *world = *state;

	/* survey, copy, verify */
	fake_store_meanwhile(&world->source, STORE_SCAN_OPEN, 3, write_elsewhere, NULL);
	assert_int_equal(migrate(world), COMMAND_DIFFERENT);
	assert_said("--from has changed");
	assert_said("GW-10 differs");
}

static void a_target_that_lost_a_record_is_found_out(void **state)
{
	struct world *world = *state;

	assert_int_equal(migrate(world), COMMAND_DONE);
	world->target.record_count--;
	assert_int_equal(migration_verify(&world->migration), COMMAND_DIFFERENT);
	assert_said("--to is not equal to --from");
}

static void a_signal_stops_it(void **state)
{
	struct world *world = *state;

	assert_int_equal(migration_survey(&world->migration), COMMAND_DONE);
	atomic_store(&is_stopping, true);
	assert_int_equal(migration_copy(&world->migration), COMMAND_FAILED);
	assert_said("stopped");
	assert_int_equal(world->target.record_count, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_states_are_copied_whole),
		TEST(a_second_run_copies_nothing),
		TEST(a_run_goes_on_where_one_was_killed),
		TEST(a_valid_lease_is_waited_for),
		TEST(an_empty_source_is_a_wrong_one),
		TEST(a_foreign_record_in_the_target_is_refused),
		TEST(a_different_record_in_the_target_is_refused),
		TEST(one_store_with_two_names_is_found_out),
		TEST(lost_answers_are_settled),
		TEST(a_late_insert_is_ours),
		TEST(a_different_record_that_comes_late_is_reported),
		TEST(a_broken_target_ends_it),
		TEST(a_broken_source_ends_it),
		TEST(an_id_that_another_record_has_is_reported),
		TEST(a_source_that_changes_is_found_out),
		TEST(a_target_that_lost_a_record_is_found_out),
		TEST(a_signal_stops_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
