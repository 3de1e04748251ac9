/* SPDX-License-Identifier: Apache-2.0
 *
 * lost_answer_test.c - each write of a provisioning meets each fault of storage; what the answer is, and what a retry gets.
 *
 * A crash right after a write leaves what STORE_UNKNOWN_NOW with a lost read leaves: the write is there, and nobody goes on.
 */
#include "fixture.h"

#include "core/service/machine.h"
#include "core/service/recover.h"

#include <string.h>
#include <unistd.h>

/* The writes of a new serial: an insert, then updates. */
struct write {
	enum store_call call;
	unsigned nth;
};
static const struct write claiming = {STORE_INSERT, 1};
static const struct write contacting = {STORE_UPDATE, 1};
static const struct write issuing = {STORE_UPDATE, 2};
static const struct write delivering = {STORE_UPDATE, 3};

static void break_write(struct fixture *fixture, const struct write *at, enum store_fault fault)
{
	fake_store_script(&fixture->store, at->call, at->nth, fault);
}

/* The write is lost, and so is the read that would tell. New serials are read twice before the first write. */
static void break_write_and_read(struct fixture *fixture, const struct write *at, enum store_fault fault)
{
	break_write(fixture, at, fault);
	fake_store_script(&fixture->store, STORE_GET, 3, STORE_AWAY);
}

/* Time goes on until every lease has ended; then a request gets the identity. */
static void assert_next_request_deploys(struct fixture *fixture)
{
	fake_store_heal(&fixture->store);
	fixture->store.now_ms += FIXTURE_LEASE_MS;
	fixture_native(fixture, ID_2);
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_2);
}

static void recover_now(struct fixture *fixture)
{
	struct pep_error err = {0};

	fake_store_heal(&fixture->store);
	assert_int_equal(recover_at_start(&fixture->provisioner, "line-1/20270101", &err), PEP_OK);
}

/* --- the read-back confirms --- */

static void a_write_that_is_read_back_counts(void **state)
{
	const struct write *const writes[] = {&claiming, &contacting, &issuing, &delivering};

	for (size_t i = 0; i < 8; i++) {
		struct fixture *fixture;

		assert_int_equal(fixture_set_up(state), 0);
		fixture = *state;
		break_write(fixture, writes[i % 4], i < 4 ? STORE_UNKNOWN_NOW : STORE_TIMEOUT_NOW);
		assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
		assert_int_equal(fixture->injector.injections, 1);
		assert_int_equal(fixture_record(fixture)->revision, 4);
		assert_int_equal(spool_count(fixture->provisioner.spool), 0);
		(void)fixture_tear_down(state);
	}
}

/* --- the claim --- */

static void a_claim_that_is_not_confirmed_touches_nothing(void **state)
{
	static const enum store_fault faults[] = {STORE_AWAY, STORE_UNKNOWN_LATER, STORE_UNKNOWN_NEVER, STORE_BROKEN,
						  STORE_NO_MEMORY};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct fixture *fixture;

		assert_int_equal(fixture_set_up(state), 0);
		fixture = *state;
		break_write(fixture, &claiming, faults[i]);
		assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
		assert_int_equal(fixture->injector.injections, 0);
		assert_null(fake_store_record(&fixture->store, SERIAL));
		fake_store_heal(&fixture->store);
		assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED); /* at once */
		assert_false(fake_store_settle(&fixture->store));                 /* the late one is refused */
		assert_string_equal(fixture_record(fixture)->nonce, fixture->injector.nonce);
		(void)fixture_tear_down(state);
	}
}

static void a_claim_that_arrives_late_frees_itself(void **state)
{
	struct fixture *fixture = *state;

	break_write(fixture, &claiming, STORE_UNKNOWN_LATER);
	assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
	assert_true(fake_store_settle(&fixture->store));
	assert_int_equal(fixture_record(fixture)->state, PEP_CLAIMED);
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_PROGRESS);
	assert_int_equal(fixture->injector.injections, 0);
	assert_next_request_deploys(fixture);
	assert_int_equal(fixture_record(fixture)->attempt, 2);
}

static void a_crash_after_the_claim(void **state)
{
	struct fixture *fixture = *state;

	break_write_and_read(fixture, &claiming, STORE_UNKNOWN_NOW);
	assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
	assert_int_equal(fixture->injector.injections, 0);
	assert_int_equal(fixture_record(fixture)->state, PEP_CLAIMED);
	assert_next_request_deploys(fixture);
}

static void storage_is_away_before_anything(void **state)
{
	static const enum store_call calls[] = {STORE_NOW, STORE_GET};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 2; i++) {
		for (unsigned nth = 1; nth <= 2; nth++) { /* the peek's, and the claim's */
			fake_store_script(&fixture->store, calls[i], nth, STORE_AWAY);
			assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
			fake_store_heal(&fixture->store);
		}
	}
	assert_int_equal(fixture->injector.injections, 0);
	assert_null(fake_store_record(&fixture->store, SERIAL));
}

/* --- contact and certificate --- */

static void a_witness_that_is_not_confirmed_hangs_up(void **state)
{
	const struct write *const writes[] = {&contacting, &issuing};
	static const enum store_fault faults[] = {STORE_AWAY, STORE_UNKNOWN_LATER, STORE_UNKNOWN_NEVER, STORE_BROKEN};

	for (size_t i = 0; i < 8; i++) {
		struct fixture *fixture;

		assert_int_equal(fixture_set_up(state), 0);
		fixture = *state;
		break_write(fixture, writes[i / 4], faults[i % 4]);
		assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
		assert_int_not_equal(fixture->injector.refused, PEP_OK);
		assert_int_equal(fixture->injector.delivered, 0);
		/* The next write at the revision that was read settles it: the late one is refused. */
		assert_int_equal(fixture_record(fixture)->state, PEP_FAILED);
		assert_int_equal(fixture_record(fixture)->contacted, i / 4); /* the first one was not written */
		assert_false(fake_store_settle(&fixture->store));
		assert_memory_equal(fixture_record(fixture)->reason, "storage_unavailable: ", 21);
		fixture->store.now_ms -= FIXTURE_LEASE_MS; /* at once: no lease to wait for */
		assert_next_request_deploys(fixture);
		(void)fixture_tear_down(state);
	}
}

static void the_clock_of_the_store_is_away_for_the_witness(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned nth = 3; nth <= 4; nth++) { /* the first two are the peek's and the claim's */
		fixture_native(fixture, ID_1);
		fake_store_script(&fixture->store, STORE_NOW, nth, STORE_AWAY);
		assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
		assert_int_equal(fixture->injector.refused, PEP_UNAVAILABLE);
		assert_int_equal(fixture_record(fixture)->state, PEP_FAILED);
		fake_store_heal(&fixture->store);
	}
}

static void a_crash_after_the_contact(void **state)
{
	struct fixture *fixture = *state;

	break_write_and_read(fixture, &contacting, STORE_UNKNOWN_NOW);
	fake_store_script(&fixture->store, STORE_UPDATE, 2, STORE_AWAY); /* nor does row 11 get through */
	assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
	assert_int_equal(fixture_record(fixture)->state, PEP_CONTACTED);
	fixture->store.now_ms += FIXTURE_LEASE_MS;
	recover_now(fixture);
	assert_int_equal(fixture_record(fixture)->state, PEP_FAILED);
	assert_next_request_deploys(fixture);
	assert_null(fixture_record(fixture)->history); /* nothing was issued, so nothing can be left */
}

static void a_crash_after_the_certificate(void **state)
{
	struct fixture *fixture = *state;

	break_write_and_read(fixture, &issuing, STORE_UNKNOWN_NOW);
	fake_store_script(&fixture->store, STORE_UPDATE, 3, STORE_AWAY);
	assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
	assert_int_equal(fixture_record(fixture)->state, PEP_ISSUED);
	fixture->store.now_ms += FIXTURE_LEASE_MS;
	recover_now(fixture);
	assert_int_equal(fixture_record(fixture)->state, PEP_IN_DOUBT);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
	assert_next_request_deploys(fixture);
	assert_non_null(strstr(fixture_record(fixture)->history, ID_1));
}

/* --- the end --- */

static void an_end_that_is_lost_ends_with_the_lease(void **state)
{
	struct fixture *fixture = *state;

	fixture_outcome(fixture, PEP_REFUSED, PEP_CONFLICT);
	break_write(fixture, &delivering, STORE_AWAY);
	assert_int_equal(fixture_provision(fixture), PROVISION_REFUSED);
	assert_int_equal(fixture_record(fixture)->state, PEP_ISSUED);
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_PROGRESS);
	assert_next_request_deploys(fixture);
}

static void a_delivery_that_is_not_confirmed_is_spooled(void **state)
{
	static const enum store_fault faults[] = {STORE_AWAY, STORE_UNKNOWN_LATER, STORE_UNKNOWN_NEVER, STORE_BROKEN,
						  STORE_NO_MEMORY};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct fixture *fixture;

		assert_int_equal(fixture_set_up(state), 0);
		fixture = *state;
		break_write(fixture, &delivering, faults[i]);
		assert_int_equal(fixture_provision(fixture), PROVISION_RECORDED_LOCALLY);
		assert_int_equal(fixture_record(fixture)->state, PEP_ISSUED);
		assert_int_equal(spool_count(fixture->provisioner.spool), 1);
		assert_int_equal(fixture_files(fixture, ".delivered"), 1);
		assert_int_equal(fixture->injector.forgotten, 1);
		recover_now(fixture);
		assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
		assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
		assert_int_equal(spool_count(fixture->provisioner.spool), 0);
		assert_int_equal(fixture_files(fixture, ".delivered"), 0);
		assert_false(fake_store_settle(&fixture->store));
		assert_int_equal(fixture_provision(fixture), PROVISION_REPLAYED); /* the retry gets the same identity */
		assert_int_equal(fixture->injector.injections, 1);
		(void)fixture_tear_down(state);
	}
}

static void a_delivery_that_arrived_after_all_is_not_written_twice(void **state)
{
	struct fixture *fixture = *state;
	char dispatch_id[25];

	break_write(fixture, &delivering, STORE_UNKNOWN_LATER);
	assert_int_equal(fixture_provision(fixture), PROVISION_RECORDED_LOCALLY);
	assert_true(fake_store_settle(&fixture->store));
	(void)snprintf(dispatch_id, sizeof(dispatch_id), "%s", fixture_record(fixture)->dispatch_id);
	recover_now(fixture);
	assert_string_equal(fixture_record(fixture)->dispatch_id, dispatch_id); /* one for each attempt */
	assert_int_equal(fixture_record(fixture)->revision, 4);
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
}

static void the_clock_of_the_store_is_away_at_the_end(void **state)
{
	struct fixture *fixture = *state;

	fake_store_script(&fixture->store, STORE_NOW, 5, STORE_AWAY); /* after peek, claim, contacted, issued */
	assert_int_equal(fixture_provision(fixture), PROVISION_RECORDED_LOCALLY);
	recover_now(fixture);
	assert_int_equal(fixture_provision(fixture), PROVISION_REPLAYED);
}

static void a_delivery_whose_read_back_fails(void **state)
{
	struct fixture *fixture = *state;

	break_write_and_read(fixture, &delivering, STORE_UNKNOWN_NOW);
	assert_int_equal(fixture_provision(fixture), PROVISION_RECORDED_LOCALLY);
	assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
	recover_now(fixture);
	assert_int_equal(fixture_record(fixture)->revision, 4);
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
}

static void neither_store_nor_spool(void **state)
{
	struct fixture *fixture = *state;
	char lock[96];

	(void)snprintf(lock, sizeof(lock), "%s/.lock", fixture->folder);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(rmdir(fixture->folder), 0);
	break_write(fixture, &delivering, STORE_AWAY);
	assert_int_equal(fixture_provision(fixture), PROVISION_UNRECORDED);
	assert_int_equal(fixture->injector.forgotten, 0); /* a tool's own result is all that is left */
	assert_non_null(strstr(fixture->result.error.message, "spool"));
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
	fixture->store.now_ms += FIXTURE_LEASE_MS;
	recover_now(fixture);
	assert_int_equal(fixture_record(fixture)->state, PEP_IN_DOUBT);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_that_is_read_back_counts),
		cmocka_unit_test(a_claim_that_is_not_confirmed_touches_nothing),
		TEST(a_claim_that_arrives_late_frees_itself),
		TEST(a_crash_after_the_claim),
		TEST(storage_is_away_before_anything),
		cmocka_unit_test(a_witness_that_is_not_confirmed_hangs_up),
		TEST(the_clock_of_the_store_is_away_for_the_witness),
		TEST(a_crash_after_the_contact),
		TEST(a_crash_after_the_certificate),
		TEST(an_end_that_is_lost_ends_with_the_lease),
		cmocka_unit_test(a_delivery_that_is_not_confirmed_is_spooled),
		TEST(a_delivery_that_arrived_after_all_is_not_written_twice),
		TEST(the_clock_of_the_store_is_away_at_the_end),
		TEST(a_delivery_whose_read_back_fails),
		TEST(neither_store_nor_spool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
