/* SPDX-License-Identifier: Apache-2.0
 *
 * fence_test.c - others at the same record: later attempts, taken enrollment ids, notes in between; and when an injection gives up.
 */
#include "fixture.h"

#include "core/service/machine.h"
#include "core/service/recover.h"

#include <string.h>

/* --- what others do meanwhile --- */

/* The lease was held to be over: another server's claim, or its contact. */
static void take_over(struct fixture *fixture, uint32_t state)
{
	struct pep_identity record = *fixture_record(fixture);

	record.before = record.state == PEP_ISSUED ? PEP_IN_DOUBT : PEP_FAILED;
	record.state = state;
	record.attempt = 2;
	record.nonce = "nonce-of-2";
	record.owner = "line-2/1";
	record.lease_until_ms = fixture->store.now_ms + FIXTURE_LEASE_MS;
	record.revision++;
	if (state == PEP_CONTACTED) {
		record.contacted = 2;
		record.before = 0;
		record.enrollment_id = NULL;
		record.history = "[{\"attempt\":1,\"enrollmentID\":\"" ID_1 "\",\"ended\":\"in_doubt\"}]";
	}
	fake_store_put(&fixture->store, &record);
}

static void claim_it(void *context)
{
	take_over(context, PEP_CLAIMED);
}

static void contact_it(void *context)
{
	take_over(context, PEP_CONTACTED);
}

/* "A note in history changes the revision, not who is mine." */
static void note_in_history(struct storage *store, void *context)
{
	const struct pep_identity *there = fake_store_record(store, SERIAL);
	struct pep_identity record;

	(void)context;
	if (!there)
		return;
	record = *there;
	record.revision++;
	record.history = "[{\"attempt\":7,\"ended\":\"delivered\"}]";
	fake_store_put(store, &record);
}

static void stop_server(void *context)
{
	struct fixture *fixture = context;

	atomic_store(&fixture->stopping, true);
}

static const struct injector_step claim_step = {.verb = INJECTOR_DO, .act = claim_it};
static const struct injector_step contact_step = {.verb = INJECTOR_DO, .act = contact_it};
static const struct injector_step ask_step = {.verb = INJECTOR_ASK};
static const struct injector_step stop_step = {.verb = INJECTOR_DO, .act = stop_server};

/* --- the fence --- */

static void a_later_attempt_before_the_contact(void **state)
{
	struct fixture *fixture = *state;

	fixture_step(fixture, 0, claim_step);
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_PROGRESS);
	assert_int_equal(fixture->injector.refused, PEP_CONFLICT);
	assert_int_equal(fixture_record(fixture)->state, PEP_CLAIMED);
	assert_int_equal(fixture_record(fixture)->attempt, 2);
	assert_int_equal(fixture_record(fixture)->revision, 2); /* nothing was written over it */
}

static void a_later_attempt_before_the_certificate(void **state)
{
	struct fixture *fixture = *state;

	fixture_step(fixture, 1, contact_step);
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_PROGRESS);
	assert_int_equal(fixture->injector.refused, PEP_CONFLICT);
	assert_int_equal(fixture_record(fixture)->contacted, 2);
	assert_int_equal(fixture_record(fixture)->revision, 3);
}

static void a_delivery_wins_over_a_later_claim(void **state)
{
	struct fixture *fixture = *state;

	fixture->injector.steps[2] = claim_step;
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_int_equal(fixture_record(fixture)->contacted, 1);
	assert_int_equal(fixture_record(fixture)->attempt, 2); /* which ends there */
}

static void a_delivery_does_not_win_over_a_later_contact(void **state)
{
	struct fixture *fixture = *state;

	fixture->injector.steps[2] = contact_step;
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_PROGRESS);
	assert_int_equal(fixture_record(fixture)->state, PEP_CONTACTED);
	assert_int_equal(fixture_record(fixture)->contacted, 2);
	assert_true(machine_has_delivery(fixture_record(fixture), 1));
	assert_false(machine_has_delivery(fixture_record(fixture), 2));
	assert_non_null(strstr(fixture_record(fixture)->history, ID_1));
}

static void a_stubborn_injector_is_recorded_all_the_same(void **state)
{
	struct fixture *fixture = *state;

	fixture->injector.is_stubborn = true;
	fixture->injector.steps[2].verb = INJECTOR_END;
	fake_store_script(&fixture->store, STORE_UPDATE, 1, STORE_AWAY);
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
}

static void a_note_in_between_stops_nobody(void **state)
{
	for (unsigned nth = 1; nth <= 3; nth++) {
		struct fixture *fixture;

		assert_int_equal(fixture_set_up(state), 0);
		fixture = *state;
		fake_store_meanwhile(&fixture->store, STORE_UPDATE, nth, note_in_history, NULL);
		assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
		assert_int_equal(fixture_record(fixture)->revision, 5);
		assert_true(machine_has_delivery(fixture_record(fixture), 7)); /* it was not written over */
		(void)fixture_tear_down(state);
	}
}

static void a_storm_of_writes_is_given_up(void **state)
{
	struct fixture *fixture = *state;

	fake_store_meanwhile(&fixture->store, STORE_UPDATE, 0, note_in_history, NULL);
	assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
	assert_int_equal(fixture->injector.refused, PEP_UNAVAILABLE);
	assert_int_equal(fixture_record(fixture)->state, PEP_CLAIMED); /* until the lease ends */
	fake_store_heal(&fixture->store);
	fixture->store.now_ms += FIXTURE_LEASE_MS;
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
}

static void insert_it(struct storage *store, void *context)
{
	struct pep_identity other = fixture_left_behind(PEP_CLAIMED, store->now_ms + 1);

	(void)context;
	fake_store_put(store, &other);
}

static void somebody_else_inserts_it_first(void **state)
{
	struct fixture *fixture = *state;

	fake_store_meanwhile(&fixture->store, STORE_INSERT, 1, insert_it, NULL);
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_PROGRESS);
	assert_int_equal(fixture->injector.injections, 0);
	assert_int_equal(fixture_record(fixture)->revision, 5);
}

static void a_second_contact_is_a_confirmation(void **state)
{
	struct fixture *fixture = *state;

	/* As when a storage plugin writes again after a lost answer, and finds its own write. */
	fixture_step(fixture, 0, fixture->injector.steps[0]);
	fixture_step(fixture, 2, fixture->injector.steps[2]);
	fixture->injector.steps[4].verb = INJECTOR_END;
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_int_equal(fixture->injector.refused, PEP_OK);
	assert_int_equal(fixture_record(fixture)->revision, 4);
}

/* --- an enrollment id that is taken --- */

static void put_other_with_id(struct fixture *fixture, const char *id)
{
	struct pep_identity other = fixture_left_behind(PEP_DEPLOYED, 0);

	other.serial = "GW-OTHER";
	other.enrollment_id = id;
	fake_store_put(&fixture->store, &other);
}

static void a_taken_id_is_refused_before_delivery(void **state)
{
	struct fixture *fixture = *state;

	put_other_with_id(fixture, ID_1);
	assert_int_equal(fixture_provision(fixture), PROVISION_FAILED);
	assert_int_equal(fixture->injector.refused, PEP_INTERNAL);
	assert_int_equal(fixture->injector.delivered, 0);
	assert_int_equal(fixture_record(fixture)->state, PEP_FAILED);
	assert_null(fixture_record(fixture)->enrollment_id);
	assert_non_null(strstr(fixture_record(fixture)->reason, "another record has this enrollment id"));
	assert_int_equal(fixture->store.calls[STORE_UPDATE], 3); /* contacted, refused once, failed: never a loop */
}

static void a_taken_id_after_delivery_is_in_doubt(void **state)
{
	struct fixture *fixture = *state;

	put_other_with_id(fixture, ID_1);
	fixture_opaque(fixture, ID_1);
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_DOUBT);
	assert_string_equal(fixture->result.enrollment_id, ID_1);
	assert_int_equal(fixture_record(fixture)->state, PEP_IN_DOUBT);
	assert_memory_equal(fixture_record(fixture)->reason, "id_taken: ", 10);
	assert_non_null(strstr(fixture_record(fixture)->reason, ID_1)); /* what the gateway holds is not lost */
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
}

static void a_taken_id_that_cannot_be_noted_is_spooled(void **state)
{
	struct fixture *fixture = *state;
	struct pep_error err = {0};

	put_other_with_id(fixture, ID_1);
	fixture_opaque(fixture, ID_1);
	fake_store_script(&fixture->store, STORE_UPDATE, 3, STORE_AWAY); /* contacted, delivered, in doubt */
	assert_int_equal(fixture_provision(fixture), PROVISION_RECORDED_LOCALLY);
	assert_int_equal(spool_count(fixture->provisioner.spool), 1);
	fake_store_heal(&fixture->store);
	assert_int_equal(recover_at_start(&fixture->provisioner, "line-1/20270101", &err), PEP_OK);
	assert_int_equal(fixture_record(fixture)->state, PEP_IN_DOUBT);
	assert_int_equal(spool_count(fixture->provisioner.spool), 1); /* no read shows it as delivered: kept for a person */
}

/* --- giving up --- */

static void a_server_that_stops_takes_nothing_new(void **state)
{
	struct fixture *fixture = *state;

	stop_server(fixture);
	assert_int_equal(fixture_provision(fixture), PROVISION_DRAINING);
	assert_int_equal(fixture->injector.injections, 0);
	assert_int_equal(fixture->store.calls[STORE_GET], 0);
	assert_null(fake_store_record(&fixture->store, SERIAL));
}

static void stopping_before_the_contact_cancels(void **state)
{
	struct fixture *fixture = *state;

	fixture_step(fixture, 0, ask_step);
	fixture_step(fixture, 0, stop_step);
	assert_int_equal(fixture_provision(fixture), PROVISION_DRAINING);
	assert_true(fixture->injector.was_cancelled);
	assert_int_equal(fixture_record(fixture)->state, PEP_FAILED);
	assert_int_equal(fixture_record(fixture)->contacted, 0);
	assert_memory_equal(fixture_record(fixture)->reason, "draining: ", 10);
}

static void stopping_after_the_contact_does_not(void **state)
{
	struct fixture *fixture = *state;

	fixture_step(fixture, 1, ask_step);
	fixture_step(fixture, 1, stop_step);
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_false(fixture->injector.was_cancelled);
}

static void the_deadline_cancels_before_and_after_the_contact(void **state)
{
	for (size_t at = 0; at <= 1; at++) {
		struct fixture *fixture;

		assert_int_equal(fixture_set_up(state), 0);
		fixture = *state;
		fixture->provisioner.injection_timeout_ms = 0;
		fixture_step(fixture, at, ask_step);
		assert_int_equal(fixture_provision(fixture), PROVISION_TIMEOUT);
		assert_int_equal(fixture->injector.timeout_ms, 1); /* never zero, which could mean "for ever" */
		assert_true(fixture->injector.was_cancelled);
		assert_int_equal(fixture_record(fixture)->state, PEP_FAILED);
		assert_memory_equal(fixture_record(fixture)->reason, "injector_timeout: ", 18);
		(void)fixture_tear_down(state);
	}
}

static void the_deadline_counts_while_the_server_stops(void **state)
{
	struct fixture *fixture = *state;

	fixture->provisioner.injection_timeout_ms = 0;
	fixture_step(fixture, 1, ask_step);
	fixture_step(fixture, 1, stop_step);
	assert_int_equal(fixture_provision(fixture), PROVISION_TIMEOUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_later_attempt_before_the_contact),
		TEST(a_later_attempt_before_the_certificate),
		TEST(a_delivery_wins_over_a_later_claim),
		TEST(a_delivery_does_not_win_over_a_later_contact),
		TEST(a_stubborn_injector_is_recorded_all_the_same),
		cmocka_unit_test(a_note_in_between_stops_nobody),
		TEST(a_storm_of_writes_is_given_up),
		TEST(somebody_else_inserts_it_first),
		TEST(a_second_contact_is_a_confirmation),
		TEST(a_taken_id_is_refused_before_delivery),
		TEST(a_taken_id_after_delivery_is_in_doubt),
		TEST(a_taken_id_that_cannot_be_noted_is_spooled),
		TEST(a_server_that_stops_takes_nothing_new),
		TEST(stopping_before_the_contact_cancels),
		TEST(stopping_after_the_contact_does_not),
		cmocka_unit_test(the_deadline_cancels_before_and_after_the_contact),
		TEST(the_deadline_counts_while_the_server_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
