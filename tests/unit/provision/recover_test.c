/* SPDX-License-Identifier: Apache-2.0
 *
 * recover_test.c - what frees a serial without anybody's help: the spool's replay, and leases that ended.
 */
#include "fixture.h"

#include "core/base/clock.h"
#include "core/service/machine.h"
#include "core/service/recover.h"

#include <sched.h>
#include <semaphore.h>
#include <string.h>

#define OWN_EARLIER "line-1/20270101"

static pep_status at_start(struct fixture *fixture)
{
	struct pep_error err = {0};

	return recover_at_start(&fixture->provisioner, OWN_EARLIER, &err);
}

static void put_spool(struct fixture *fixture, uint32_t attempt, const char *id)
{
	char nonce[33];
	struct spool_entry entry = {.serial = SERIAL, .nonce = nonce, .enrollment_id = id, .attempt = attempt};
	struct pep_error err = {0};

	(void)snprintf(nonce, sizeof(nonce), "%032u", attempt);
	assert_int_equal(spool_put(fixture->provisioner.spool, &entry, &err), PEP_OK);
}

static void put_record(struct fixture *fixture, uint32_t state, const char *owner, int64_t lease_until_ms)
{
	struct pep_identity record = fixture_left_behind(state, lease_until_ms);

	record.owner = owner;
	fake_store_put(&fixture->store, &record);
}

/* --- leases --- */

struct lapse {
	uint32_t state, expected;
	bool opaque;
};
static const struct lapse lapses[] = {
	{PEP_CLAIMED, PEP_FAILED, false},    {PEP_CONTACTED, PEP_FAILED, false},  {PEP_ISSUED, PEP_IN_DOUBT, false},
	{PEP_CLAIMED, PEP_FAILED, true},     {PEP_CONTACTED, PEP_IN_DOUBT, true}, {PEP_DEPLOYED, PEP_DEPLOYED, false},
	{PEP_IN_DOUBT, PEP_IN_DOUBT, false}, {PEP_RETIRED, PEP_RETIRED, false},
};
#define LAPSE_COUNT (sizeof(lapses) / sizeof(lapses[0]))

static void own_earlier_starts_end_at_once(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < LAPSE_COUNT; i++) {
		fixture->injector.is_opaque = lapses[i].opaque;
		put_record(fixture, lapses[i].state, OWN_EARLIER, STORE_START_MS + FIXTURE_LEASE_MS);
		assert_int_equal(at_start(fixture), PEP_OK);
		assert_int_equal(fixture_record(fixture)->state, lapses[i].expected);
		assert_int_equal(fixture_record(fixture)->lease_until_ms, 0);
	}
}

static void others_keep_their_lease(void **state)
{
	/* The third is a server to which somebody gave our name. */
	static const char *const owners[] = {"line-2/20270101", "line-11/1", "line-1/20270102", "line-1", OWNER, NULL};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 6; i++) {
		put_record(fixture, PEP_ISSUED, owners[i], STORE_START_MS + 1);
		assert_int_equal(at_start(fixture), PEP_OK);
		assert_int_equal(fixture_record(fixture)->state, PEP_ISSUED);
		assert_int_equal(fixture_record(fixture)->revision, 5);
		put_record(fixture, PEP_ISSUED, owners[i], STORE_START_MS); /* until its end, which is now */
		assert_int_equal(at_start(fixture), PEP_OK);
		assert_int_equal(fixture_record(fixture)->state, PEP_IN_DOUBT);
		assert_string_equal(fixture_record(fixture)->enrollment_id, ID_2);
	}
}

static void all_are_ended_in_one_go(void **state)
{
	struct fixture *fixture = *state;
	char serials[10][8];

	for (unsigned i = 0; i < 10; i++) {
		struct pep_identity record = fixture_left_behind(PEP_CONTACTED, STORE_START_MS - i);

		(void)snprintf(serials[i], sizeof(serials[i]), "S-%u", i);
		record.serial = serials[i];
		fake_store_put(&fixture->store, &record);
	}
	assert_int_equal(at_start(fixture), PEP_OK);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(fake_store_record(&fixture->store, serials[i])->state, PEP_FAILED);
	assert_int_equal(fixture->store.open_scans, 0);
}

static void renew(struct storage *store, void *context)
{
	struct pep_identity record = *fake_store_record(store, SERIAL);

	(void)context;
	record.revision++;
	record.lease_until_ms = store->now_ms + FIXTURE_LEASE_MS;
	fake_store_put(store, &record);
}

static void a_lease_that_is_renewed_meanwhile_is_kept(void **state)
{
	struct fixture *fixture = *state;

	put_record(fixture, PEP_CONTACTED, "line-2/1", STORE_START_MS);
	fake_store_meanwhile(&fixture->store, STORE_UPDATE, 1, renew, NULL);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture_record(fixture)->state, PEP_CONTACTED);
	assert_int_equal(fixture_record(fixture)->revision, 6);
}

static void a_store_that_is_away_is_an_error_at_start(void **state)
{
	static const enum store_call calls[] = {STORE_NOW, STORE_SCAN_OPEN, STORE_SCAN_NEXT, STORE_GET, STORE_UPDATE};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 5; i++) {
		put_record(fixture, PEP_CONTACTED, "line-2/1", STORE_START_MS);
		fake_store_script(&fixture->store, calls[i], 0, STORE_AWAY);
		assert_int_equal(at_start(fixture), PEP_UNAVAILABLE);
		assert_int_equal(fixture->store.open_scans, 0);
		assert_int_equal(fixture_record(fixture)->state, PEP_CONTACTED);
		fake_store_heal(&fixture->store);
	}
}

/* --- the spool --- */

static void a_spooled_outcome_comes_before_the_lease(void **state)
{
	struct fixture *fixture = *state;

	put_record(fixture, PEP_ISSUED, OWN_EARLIER, STORE_START_MS - 1);
	put_spool(fixture, 1, ID_2);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_2);
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
}

static void it_wins_over_what_a_reaper_made_of_it(void **state)
{
	static const uint32_t found[] = {PEP_IN_DOUBT, PEP_FAILED, PEP_CLAIMED, PEP_CONTACTED};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 4; i++) {
		put_record(fixture, found[i], "line-2/1", STORE_START_MS + 1);
		put_spool(fixture, 1, ID_2);
		assert_int_equal(at_start(fixture), PEP_OK);
		assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
		assert_int_equal(fixture_record(fixture)->contacted, 1);
		assert_int_equal(spool_count(fixture->provisioner.spool), 0);
	}
}

static void after_a_later_contact_it_goes_into_history(void **state)
{
	struct fixture *fixture = *state;
	struct pep_identity record = fixture_left_behind(PEP_DEPLOYED, 0);

	record.attempt = 3;
	record.contacted = 3;
	fake_store_put(&fixture->store, &record);
	put_spool(fixture, 1, ID_1);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture_record(fixture)->contacted, 3);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_2);
	assert_string_equal(fixture_record(fixture)->dispatch_id, record.dispatch_id);
	assert_true(machine_has_delivery(fixture_record(fixture), 1));
	assert_non_null(strstr(fixture_record(fixture)->history, ID_1));
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
}

static void after_a_grant_that_only_claimed_it_is_there(void **state)
{
	struct fixture *fixture = *state;
	struct pep_identity record = fixture_left_behind(PEP_CLAIMED, STORE_START_MS + 1);

	record.before = PEP_DEPLOYED;
	record.enrollment_id = ID_2;
	fake_store_put(&fixture->store, &record);
	put_spool(fixture, 1, ID_2);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture_record(fixture)->revision, 5); /* nothing to write */
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
}

static void it_goes_only_when_a_read_shows_it(void **state)
{
	static const enum store_fault faults[] = {STORE_AWAY, STORE_UNKNOWN_NEVER, STORE_UNKNOWN_LATER, STORE_BROKEN};
	struct fixture *fixture = *state;

	put_record(fixture, PEP_ISSUED, "line-2/1", STORE_START_MS + 1);
	put_spool(fixture, 1, ID_2);
	for (size_t i = 0; i < 4; i++) {
		fake_store_script(&fixture->store, STORE_UPDATE, 1, faults[i]);
		assert_int_equal(at_start(fixture), PEP_OK);
		assert_int_equal(spool_count(fixture->provisioner.spool), 1);
		assert_int_equal(fixture_files(fixture, ".delivered"), 1);
		assert_int_equal(fixture_record(fixture)->state, PEP_ISSUED);
		fake_store_heal(&fixture->store);
	}
	assert_true(fake_store_settle(&fixture->store));
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
	assert_int_equal(fixture_record(fixture)->revision, 6); /* the late one; no second */
}

static void what_no_record_knows_is_kept(void **state)
{
	struct fixture *fixture = *state;

	put_spool(fixture, 1, ID_1);
	assert_int_equal(at_start(fixture), PEP_OK);
	put_record(fixture, PEP_FAILED, "line-2/1", 0);
	put_spool(fixture, 9, ID_1); /* an attempt that was never made here */
	assert_int_equal(spool_count(fixture->provisioner.spool), 2);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(spool_count(fixture->provisioner.spool), 1); /* the first one found its record */
	assert_int_equal(fixture_record(fixture)->contacted, 1);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
}

/* A store that is away may take its time to say so: a stop must not wait for that once per entry. */
static void the_rest_waits_when_the_store_is_away(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t attempt = 1; attempt <= 5; attempt++)
		put_spool(fixture, attempt, ID_1);
	fake_store_script(&fixture->store, STORE_GET, 0, STORE_AWAY);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture->store.calls[STORE_GET], 1);
	assert_int_equal(spool_count(fixture->provisioner.spool), 5);
}

/* --- the thread --- */

static void post(struct storage *store, void *context)
{
	(void)store;
	(void)sem_post(context);
}

/* The nth round from now on has begun, so the one before is over. */
static void wait_for_round(struct fixture *fixture, unsigned nth)
{
	sem_t round;

	assert_int_equal(sem_init(&round, 0, 0), 0);
	fake_store_meanwhile(&fixture->store, STORE_SCAN_OPEN, nth, post, &round);
	while (sem_wait(&round) != 0)
		;
	(void)sem_destroy(&round);
}

static void the_thread_replays_and_lapses(void **state)
{
	struct fixture *fixture = *state;
	struct pep_identity other = fixture_left_behind(PEP_CONTACTED, STORE_START_MS);
	struct recovery *recovery = NULL;
	struct pep_error err = {0};

	other.serial = "GW-2";
	put_record(fixture, PEP_ISSUED, "line-2/1", STORE_START_MS + 1);
	fake_store_put(&fixture->store, &other);
	put_spool(fixture, 1, ID_2);
	assert_int_equal(recovery_start(&fixture->provisioner, 1, &recovery, &err), PEP_OK);
	wait_for_round(fixture, 3);
	recovery_stop(recovery);
	assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
	assert_int_equal(fake_store_record(&fixture->store, "GW-2")->state, PEP_FAILED);
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
}

static void the_thread_does_not_end_what_this_start_holds(void **state)
{
	struct fixture *fixture = *state;
	struct recovery *recovery = NULL;
	struct pep_error err = {0};

	put_record(fixture, PEP_ISSUED, OWNER, STORE_START_MS + 1);
	assert_int_equal(recovery_start(&fixture->provisioner, 1, &recovery, &err), PEP_OK);
	wait_for_round(fixture, 3);
	recovery_stop(recovery);
	assert_int_equal(fixture_record(fixture)->state, PEP_ISSUED);
	assert_int_equal(fixture_record(fixture)->revision, 5);
}

static void the_thread_outlives_an_outage(void **state)
{
	struct fixture *fixture = *state;
	struct recovery *recovery = NULL;
	struct pep_error err = {0};
	sem_t asked;

	put_record(fixture, PEP_ISSUED, "line-2/1", STORE_START_MS + 1);
	put_spool(fixture, 1, ID_2);
	assert_int_equal(sem_init(&asked, 0, 0), 0);
	fake_store_script(&fixture->store, STORE_SCAN_OPEN, 0, STORE_AWAY);
	fake_store_script(&fixture->store, STORE_UPDATE, 0, STORE_AWAY);
	fake_store_meanwhile(&fixture->store, STORE_NOW, 5, post, &asked);
	assert_int_equal(recovery_start(&fixture->provisioner, 1, &recovery, &err), PEP_OK);
	while (sem_wait(&asked) != 0)
		;
	assert_int_equal(spool_count(fixture->provisioner.spool), 1);
	fake_store_heal(&fixture->store);
	wait_for_round(fixture, 2);
	recovery_stop(recovery);
	(void)sem_destroy(&asked);
	assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
}

struct block {
	sem_t begun, go_on;
};

static void wait_for_post(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		;
}

static void hold_up(struct storage *store, void *context)
{
	struct block *block = context;

	(void)store;
	(void)sem_post(&block->begun);
	wait_for_post(&block->go_on);
}

static void spin_ms(int64_t ms)
{
	const int64_t until_ms = clock_work_ms() + ms;

	while (clock_work_ms() < until_ms)
		(void)sched_yield();
}

/* For the watchdog: a call of the store that does not come back, as opposed to an hour between two rounds. */
static void a_step_that_hangs_is_late(void **state)
{
	struct fixture *fixture = *state;
	struct recovery *recovery = NULL;
	struct pep_error err = {0};
	struct block block;

	assert_int_equal(sem_init(&block.begun, 0, 0), 0);
	assert_int_equal(sem_init(&block.go_on, 0, 0), 0);
	fake_store_meanwhile(&fixture->store, STORE_NOW, 1, hold_up, &block);
	assert_int_equal(recovery_start(&fixture->provisioner, 1, &recovery, &err), PEP_OK);
	wait_for_post(&block.begun);
	spin_ms(20);
	assert_in_range(recovery_late_ms(recovery), 20, 20000);
	(void)sem_post(&block.go_on);
	while (recovery_late_ms(recovery) >= 20)
		(void)sched_yield();
	recovery_stop(recovery);
	assert_int_equal(recovery_start(&fixture->provisioner, 3600000, &recovery, &err), PEP_OK);
	spin_ms(20);
	while (recovery_late_ms(recovery) > 0)
		(void)sched_yield();
	spin_ms(20);
	assert_int_equal(recovery_late_ms(recovery), 0);
	recovery_stop(recovery);
	(void)sem_destroy(&block.begun);
	(void)sem_destroy(&block.go_on);
}

static void stopping_looks_at_the_spool_once_more(void **state)
{
	struct fixture *fixture = *state;
	struct recovery *recovery = NULL;
	struct pep_error err = {0};

	put_record(fixture, PEP_ISSUED, OWNER, STORE_START_MS + 1);
	assert_int_equal(recovery_start(&fixture->provisioner, 3600000, &recovery, &err), PEP_OK);
	put_spool(fixture, 1, ID_2);
	recovery_stop(recovery); /* at once: it does not wait for the hour to pass */
	recovery_stop(NULL);
	assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
	assert_int_equal(fixture->store.calls[STORE_SCAN_OPEN], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(own_earlier_starts_end_at_once),
		TEST(others_keep_their_lease),
		TEST(all_are_ended_in_one_go),
		TEST(a_lease_that_is_renewed_meanwhile_is_kept),
		TEST(a_store_that_is_away_is_an_error_at_start),
		TEST(a_spooled_outcome_comes_before_the_lease),
		TEST(it_wins_over_what_a_reaper_made_of_it),
		TEST(after_a_later_contact_it_goes_into_history),
		TEST(after_a_grant_that_only_claimed_it_is_there),
		TEST(it_goes_only_when_a_read_shows_it),
		TEST(what_no_record_knows_is_kept),
		TEST(the_rest_waits_when_the_store_is_away),
		TEST(the_thread_replays_and_lapses),
		TEST(the_thread_does_not_end_what_this_start_holds),
		TEST(the_thread_outlives_an_outage),
		TEST(a_step_that_hangs_is_late),
		TEST(stopping_looks_at_the_spool_once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
