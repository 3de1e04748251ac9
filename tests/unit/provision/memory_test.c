/* SPDX-License-Identifier: Apache-2.0
 *
 * memory_test.c - every allocation of a provisioning, of its replay and of a recovery fails once: nothing leaks, nothing is claimed
 * that is not so, no delivered fact is lost, and the serial can be tried again.
 */
#include "fail_memory.h"
#include "fixture.h"

#include "core/service/machine.h"
#include "core/service/recover.h"

#include <string.h>

#define OLD_HISTORY_ENTRY \
	"{\"attempt\":7,\"enrollmentID\":\"A-77:77:77:77:77:77:77:77:77:77:77:77:77:77:77:77\",\"ended\":\"in_doubt\"}"

/* "facts": a delivered outcome is in the record or in the spool, or the caller was told that it is in neither. */
static void check_facts(struct fixture *fixture)
{
	const struct pep_identity *record = fake_store_record(&fixture->store, SERIAL);

	/* What was in the history before is in it, to the last byte. */
	if (fixture->had_history)
		assert_true(record->history && strstr(record->history, OLD_HISTORY_ENTRY));
	if (!fixture->injector.delivered)
		return;
	assert_true(machine_has_delivery(record, fixture->injector.id.attempt) || spool_count(fixture->provisioner.spool) == 1 ||
		    fixture->result.outcome == PROVISION_UNRECORDED);
}

/* "live": after the lease, and with memory, the serial gets its identity. */
static void check_it_goes_on(struct fixture *fixture)
{
	struct pep_error err = {0};
	enum provision_outcome outcome;

	fake_store_heal(&fixture->store);
	fixture->store.now_ms += FIXTURE_LEASE_MS;
	assert_int_equal(recover_at_start(&fixture->provisioner, "line-1/20270101", &err), PEP_OK);
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
	fixture_native(fixture, NULL);
	fixture->injector.makes_ids = true;
	fixture->injector.steps[2].verb = INJECTOR_END;
	outcome = fixture_provision(fixture);
	assert_true(outcome == PROVISION_DEPLOYED || outcome == PROVISION_REPLAYED);
}

/* What there is before the request, and how the injector plays. */
static void new_serial(struct fixture *fixture)
{
	(void)fixture;
}

static void failed_before(struct fixture *fixture)
{
	struct pep_identity old = fixture_left_behind(PEP_IN_DOUBT, 0);

	old.history = "[" OLD_HISTORY_ENTRY "]";
	fixture->had_history = true;
	fake_store_put(&fixture->store, &old);
}

static void by_tool(struct fixture *fixture)
{
	fixture->injector.steps[0] = fixture->injector.steps[1];
	fixture->injector.steps[1] = fixture->injector.steps[2];
	fixture->injector.steps[2].verb = INJECTOR_END;
}

static void opaque(struct fixture *fixture)
{
	fixture_opaque(fixture, ID_1);
}

static void doubtful(struct fixture *fixture)
{
	fixture_outcome(fixture, PEP_DOUBTFUL, PEP_TIMEOUT);
}

static void store_away_at_the_end(struct fixture *fixture)
{
	fake_store_script(&fixture->store, STORE_UPDATE, 3, STORE_UNKNOWN_NEVER);
}

static void taken_at_the_end(struct fixture *fixture)
{
	struct pep_identity other = fixture_left_behind(PEP_DEPLOYED, 0);

	other.serial = "GW-OTHER";
	fake_store_put(&fixture->store, &other);
	fixture_opaque(fixture, ID_2);
}

/* True: the nth allocation was reached. */
static bool torture(void (*prepare)(struct fixture *), unsigned nth, bool for_good, bool is_taken)
{
	void *state = NULL;
	struct fixture *fixture;
	bool has_failed;

	assert_int_equal(fixture_set_up(&state), 0);
	fixture = state;
	prepare(fixture);
	fail_memory_at(nth, for_good);
	(void)fixture_provision(fixture);
	has_failed = fail_memory_end();
	assert_in_range(fixture->result.outcome, PROVISION_DEPLOYED, PROVISION_NO_MEMORY);
	if (!is_taken) { /* an id that is taken is noted as a doubt, which is not a fact in the record */
		check_facts(fixture);
		check_it_goes_on(fixture);
	}
	(void)fixture_tear_down(&state);
	return has_failed;
}

static void every_allocation_of_a_provisioning_fails(void **state)
{
	void (*const prepares[])(struct fixture *) = {new_serial, failed_before,         by_tool,         opaque,
						      doubtful,   store_away_at_the_end, taken_at_the_end};

	(void)state;
	for (size_t i = 0; i < sizeof(prepares) / sizeof(prepares[0]); i++) {
		for (int for_good = 0; for_good <= 1; for_good++) {
			unsigned nth = 1;

			while (torture(prepares[i], nth, for_good, prepares[i] == taken_at_the_end))
				nth++;
			assert_true(nth > 10); /* there was something to torture */
		}
	}
}

/* True: the nth allocation was reached. */
static bool torture_recovery(unsigned nth)
{
	void *state = NULL;
	struct fixture *fixture;
	struct pep_identity other = fixture_left_behind(PEP_ISSUED, STORE_START_MS);
	struct pep_error err = {0};
	bool has_failed;
	pep_status status;

	assert_int_equal(fixture_set_up(&state), 0);
	fixture = state;
	other.serial = "GW-2";
	fake_store_put(&fixture->store, &other);
	fake_store_script(&fixture->store, STORE_UPDATE, 3, STORE_AWAY);
	assert_int_equal(fixture_provision(fixture), PROVISION_RECORDED_LOCALLY);
	fake_store_heal(&fixture->store);
	fail_memory_at(nth, false);
	status = recover_at_start(&fixture->provisioner, "line-1/20270101", &err);
	has_failed = fail_memory_end();
	check_facts(fixture);
	assert_true(status != PEP_OK || fake_store_record(&fixture->store, "GW-2")->state == PEP_IN_DOUBT);
	check_it_goes_on(fixture);
	(void)fixture_tear_down(&state);
	return has_failed;
}

static void every_allocation_of_a_recovery_fails(void **state)
{
	unsigned nth = 1;

	(void)state;
	while (torture_recovery(nth))
		nth++;
	assert_true(nth > 10);
}

static void opening_the_spool_and_starting_the_thread(void **state)
{
	struct fixture *fixture = *state;
	struct spool *spool = NULL;
	struct recovery *recovery = NULL;
	struct pep_error err = {0};

	fail_memory_at(1, false);
	assert_int_equal(spool_open(fixture->folder, &spool, &err), PEP_NO_MEMORY);
	assert_true(fail_memory_end());
	fail_memory_at(1, false);
	assert_int_equal(recovery_start(&fixture->provisioner, 1, &recovery, &err), PEP_NO_MEMORY);
	assert_true(fail_memory_end());
	assert_null(spool);
	assert_null(recovery);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_a_provisioning_fails),
		cmocka_unit_test(every_allocation_of_a_recovery_fails),
		cmocka_unit_test_setup_teardown(opening_the_spool_and_starting_the_thread, fixture_set_up, fixture_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
