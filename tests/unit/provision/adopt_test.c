/* SPDX-License-Identifier: Apache-2.0
 *
 * adopt_test.c - a tool that outlived its server: what it did is recorded by the next start, and nothing else is done to its serial
 * before that is known.
 */
#include "fixture.h"

#include "core/service/adopt.h"
#include "core/service/recover.h"

#include <semaphore.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_EARLIER "line-1/20270101"
#define NONCE "00112233445566778899aabbccddeeff"

static int set_up(void **state)
{
	struct fixture *fixture;
	struct pep_error err = {0};

	if (fixture_set_up(state) != 0)
		return -1;
	fixture = *state;
	fixture_opaque(fixture, ID_1);
	return pending_open(fixture->folder, &fixture->provisioner.pending, &err) == PEP_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	pending_close(fixture->provisioner.pending);
	return fixture_tear_down(state);
}

/* As kill -9 leaves it: attempt 1 has contacted, its note is there. */
static void leave_behind(struct fixture *fixture, uint32_t state, const char *owner)
{
	const struct pending_entry entry = {.serial = SERIAL, .nonce = NONCE, .owner = owner, .attempt = 1};
	struct pep_identity record = fixture_left_behind(state, STORE_START_MS + FIXTURE_LEASE_MS);
	struct pep_error err = {0};

	record.attempt = 1;
	record.owner = owner;
	record.nonce = NONCE;
	if (state == PEP_CLAIMED)
		record.contacted = 0;
	if (state == PEP_IN_DOUBT)
		record.enrollment_id = NULL;
	fake_store_put(&fixture->store, &record);
	assert_int_equal(pending_put(fixture->provisioner.pending, &entry, &err), PEP_OK);
}

static pep_status at_start(struct fixture *fixture)
{
	struct pep_error err = {0};

	return recover_at_start(&fixture->provisioner, OWN_EARLIER, &err);
}

static bool is_pending(const struct fixture *fixture)
{
	return adopt_is_awaited(&fixture->provisioner, NONCE);
}

static void every_outcome_is_recorded(void **state)
{
	static const struct {
		uint32_t before, outcome;
		pep_status status;
		uint32_t expected;
		const char *enrollment_id;
	} ends[] = {
		{PEP_CONTACTED, PEP_DELIVERED, PEP_OK, PEP_DEPLOYED, ID_1},
		{PEP_IN_DOUBT, PEP_DELIVERED, PEP_OK, PEP_DEPLOYED, ID_1}, /* its lease had ended, and another server saw that */
		{PEP_CONTACTED, PEP_DOUBTFUL, PEP_INTERNAL, PEP_IN_DOUBT, ID_1},
		{PEP_CONTACTED, PEP_DOUBTFUL, PEP_UNSUPPORTED, PEP_IN_DOUBT, ID_1}, /* another injector was put in its place */
		{PEP_CONTACTED, PEP_NOT_SENT, PEP_NOT_FOUND, PEP_FAILED, NULL},
		{PEP_CONTACTED, PEP_REFUSED, PEP_CONFLICT, PEP_FAILED, NULL},
		{PEP_CLAIMED, PEP_NOT_SENT, PEP_NOT_FOUND, PEP_FAILED, NULL},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		unsigned forgotten = fixture->injector.forgotten;

		leave_behind(fixture, ends[i].before, OWN_EARLIER);
		fixture_outcome(fixture, ends[i].outcome, ends[i].status);
		assert_int_equal(at_start(fixture), PEP_OK);
		if (fixture_record(fixture)->state != ends[i].expected)
			fail_msg("end %zu: state %u", i, fixture_record(fixture)->state);
		if (ends[i].enrollment_id)
			assert_string_equal(fixture_record(fixture)->enrollment_id, ends[i].enrollment_id);
		assert_int_equal(fixture_record(fixture)->lease_until_ms, 0);
		assert_int_equal(fixture->injector.forgotten, forgotten + 1);
		assert_string_equal(fixture->injector.nonce, NONCE);
		assert_string_equal(fixture->injector.serial, SERIAL);
		assert_false(is_pending(fixture));
	}
}

static void the_reason_is_the_injectors(void **state)
{
	struct fixture *fixture = *state;

	leave_behind(fixture, PEP_CONTACTED, OWN_EARLIER);
	fixture_outcome(fixture, PEP_DOUBTFUL, PEP_INTERNAL);
	fixture->injector.detail = "the tool broke";
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_string_equal(fixture_record(fixture)->reason, "in_doubt: the tool broke");
}

static void a_running_one_stays_in_progress(void **state)
{
	struct fixture *fixture = *state;

	leave_behind(fixture, PEP_CONTACTED, OWN_EARLIER);
	fixture->injector.still_running = 3;
	for (unsigned round = 1; round <= 3; round++) {
		assert_int_equal(at_start(fixture), PEP_OK);
		assert_int_equal(fixture->injector.adoptions, round);
		assert_int_equal(fixture_record(fixture)->state, PEP_CONTACTED);
		assert_int_equal(fixture_record(fixture)->revision, 5);
		assert_int_equal(fixture->injector.forgotten, 0);
		assert_int_equal(fixture_provision(fixture), PROVISION_IN_PROGRESS);
		assert_int_equal(fixture->injector.injections, 0);
	}
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
	assert_int_equal(fixture->injector.forgotten, 1);
}

/* The clock wins in the end: no serial is stuck, and the fact is still not lost. */
static void a_lease_that_ends_while_it_runs_is_in_doubt_until_it_is_known(void **state)
{
	struct fixture *fixture = *state;

	leave_behind(fixture, PEP_CONTACTED, OWN_EARLIER);
	fixture->injector.still_running = 1;
	fixture->store.now_ms += FIXTURE_LEASE_MS;
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture_record(fixture)->state, PEP_IN_DOUBT);
	assert_true(is_pending(fixture));
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
}

static void a_delivery_that_was_overtaken_goes_into_history(void **state)
{
	struct fixture *fixture = *state;
	struct pep_identity later;

	leave_behind(fixture, PEP_CONTACTED, OWN_EARLIER);
	later = *fixture_record(fixture); /* of another server, whose gateway has ID_2 now */
	later.state = PEP_DEPLOYED;
	later.attempt = later.contacted = 2;
	later.owner = "line-2/1";
	later.nonce = "ffffffffffffffffffffffffffffffff";
	later.enrollment_id = ID_2;
	later.dispatch_id = "000000000000000000000002";
	later.lease_until_ms = 0;
	fake_store_put(&fixture->store, &later);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_2);
	assert_non_null(strstr(fixture_record(fixture)->history, ID_1));
	assert_false(is_pending(fixture));
	assert_int_equal(fixture->injector.forgotten, 1);
}

/* What a later attempt has taken over is not an earlier one's to end. */
static void a_doubt_that_was_overtaken_is_dropped(void **state)
{
	struct fixture *fixture = *state;
	struct pep_identity later;

	leave_behind(fixture, PEP_CONTACTED, OWN_EARLIER);
	later = *fixture_record(fixture);
	later.attempt = later.contacted = 2;
	later.owner = "line-2/1";
	later.nonce = "ffffffffffffffffffffffffffffffff";
	fake_store_put(&fixture->store, &later);
	fixture_outcome(fixture, PEP_DOUBTFUL, PEP_INTERNAL);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture_record(fixture)->state, PEP_CONTACTED);
	assert_int_equal(fixture_record(fixture)->contacted, 2);
	assert_false(is_pending(fixture));
}

static void while_storage_is_away_facts_go_to_the_spool(void **state)
{
	struct fixture *fixture = *state;

	leave_behind(fixture, PEP_CONTACTED, OWN_EARLIER);
	fake_store_away(&fixture->store);
	assert_int_equal(adopt_all(&fixture->provisioner), 0);
	assert_int_equal(spool_count(fixture->provisioner.spool), 1);
	assert_int_equal(fixture->injector.forgotten, 1);
	fake_store_heal(&fixture->store);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
}

static void while_storage_is_away_doubts_wait(void **state)
{
	static const enum store_fault faults[] = {STORE_AWAY, STORE_UNKNOWN_NEVER, STORE_BROKEN};
	struct fixture *fixture = *state;

	leave_behind(fixture, PEP_CONTACTED, OWN_EARLIER);
	fixture_outcome(fixture, PEP_DOUBTFUL, PEP_INTERNAL);
	for (size_t i = 0; i < 3; i++) {
		fake_store_script(&fixture->store, STORE_UPDATE, 0, faults[i]);
		assert_int_equal(adopt_all(&fixture->provisioner), 1);
		assert_true(is_pending(fixture));
		assert_int_equal(fixture->injector.forgotten, 0);
		fake_store_heal(&fixture->store);
	}
	assert_int_equal(adopt_all(&fixture->provisioner), 0);
	assert_int_equal(fixture_record(fixture)->state, PEP_IN_DOUBT);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
}

static void what_cannot_be_looked_at_is_asked_again(void **state)
{
	static const pep_status statuses[] = {PEP_UNAVAILABLE, PEP_NO_MEMORY, PEP_TIMEOUT};
	struct fixture *fixture = *state;

	leave_behind(fixture, PEP_CONTACTED, OWN_EARLIER);
	for (size_t i = 0; i < 3; i++) {
		fixture_outcome(fixture, PEP_DOUBTFUL, statuses[i]);
		assert_int_equal(at_start(fixture), PEP_OK);
		assert_int_equal(fixture_record(fixture)->state, PEP_CONTACTED);
		assert_true(is_pending(fixture));
	}
}

static void this_starts_own_are_left_alone(void **state)
{
	struct fixture *fixture = *state;

	leave_behind(fixture, PEP_CONTACTED, OWNER);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture->injector.adoptions, 0);
	assert_int_equal(fixture_record(fixture)->state, PEP_CONTACTED);
	assert_true(is_pending(fixture));
}

/* --- notes while provisioning --- */

static void see_note(void *context)
{
	struct fixture *fixture = context;

	/* It is there when the witness is asked, and with it everything that adoption needs. */
	assert_true(adopt_is_awaited(&fixture->provisioner, fixture->injector.nonce));
}

static void a_tool_runs_under_a_note(void **state)
{
	static const struct {
		uint32_t outcome;
		pep_status status;
	} ends[] = {{PEP_DELIVERED, PEP_OK}, {PEP_DOUBTFUL, PEP_INTERNAL}, {PEP_NOT_SENT, PEP_INTERNAL}};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 3; i++) {
		char serial[8];

		(void)snprintf(serial, sizeof(serial), "S-%zu", i);
		fixture_opaque(fixture, ID_1);
		fixture->injector.makes_ids = true;
		fixture_step(fixture, 0, (struct injector_step){.verb = INJECTOR_DO, .act = see_note});
		fixture_outcome(fixture, ends[i].outcome, ends[i].status);
		fixture->request.fields.serial = serial;
		fixture->request.fields.idempotency_key = serial;
		(void)fixture_provision(fixture);
		assert_int_equal(fixture->injector.injections, 1);
		assert_int_equal(fixture->injector.forgotten, 1);
		assert_false(adopt_is_awaited(&fixture->provisioner, fixture->injector.nonce));
	}
}

static void take_the_store_away(void *context)
{
	fake_store_script(context, STORE_UPDATE, 0, STORE_AWAY);
}

/* A doubt that storage did not take: the next start asks the injector, whose result is still there. */
static void what_is_not_recorded_is_not_forgotten(void **state)
{
	struct fixture *fixture = *state;

	fixture->injector.context = &fixture->store;
	fixture_step(fixture, 1, (struct injector_step){.verb = INJECTOR_DO, .act = take_the_store_away});
	fixture_outcome(fixture, PEP_DOUBTFUL, PEP_INTERNAL);
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_DOUBT);
	assert_int_equal(fixture->injector.forgotten, 0);
	assert_true(adopt_is_awaited(&fixture->provisioner, fixture->injector.nonce));
	fake_store_heal(&fixture->store);
	fixture->provisioner.owner = "line-1/20280101";
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture_record(fixture)->state, PEP_IN_DOUBT);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
	assert_int_equal(fixture->injector.forgotten, 1);
}

static void without_a_note_nothing_is_started(void **state)
{
	struct fixture *fixture = *state;

	/* As a disk that is full: the folder is gone. The spool's lock keeps its own descriptor. */
	fixture_reopen_spool(fixture);
	assert_int_equal(chdir(fixture->folder), 0);
	assert_int_equal(unlink(".lock"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(fixture->folder), 0);
	assert_int_equal(fixture_provision(fixture), PROVISION_FAILED);
	assert_int_equal(fixture->injector.injections, 0);
	assert_int_equal(fixture_record(fixture)->state, PEP_FAILED);
	assert_int_equal(mkdir(fixture->folder, 0700), 0);
}

static void an_injector_that_is_not_opaque_leaves_no_note(void **state)
{
	struct fixture *fixture = *state;

	fixture_native(fixture, ID_1);
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_false(adopt_is_awaited(&fixture->provisioner, fixture->injector.nonce));
	assert_int_equal(fixture->injector.forgotten, 1);
}

/* --- the thread --- */

static void post(struct storage *store, void *context)
{
	(void)store;
	(void)sem_post(context);
}

static void the_thread_waits_for_the_tool(void **state)
{
	struct fixture *fixture = *state;
	struct recovery *recovery = NULL;
	struct pep_error err = {0};
	sem_t stored;

	assert_int_equal(sem_init(&stored, 0, 0), 0);
	leave_behind(fixture, PEP_CONTACTED, OWN_EARLIER);
	fixture->injector.still_running = 3;
	assert_int_equal(at_start(fixture), PEP_OK);
	/* The first scan that begins after the adoption: an hour's interval does not keep it from looking. */
	fake_store_meanwhile(&fixture->store, STORE_UPDATE, 1, post, &stored);
	assert_int_equal(recovery_start(&fixture->provisioner, 3600000, &recovery, &err), PEP_OK);
	while (sem_wait(&stored) != 0)
		;
	recovery_stop(recovery);
	(void)sem_destroy(&stored);
	assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
	assert_int_equal(fixture->injector.forgotten, 1);
	assert_false(is_pending(fixture));
}

/* Killed between the end of the note and that of the injector's files. */
static void what_was_settled_is_only_forgotten(void **state)
{
	struct fixture *fixture = *state;

	leave_behind(fixture, PEP_DEPLOYED, OWN_EARLIER);
	assert_true(pending_settle(fixture->provisioner.pending, NONCE));
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture->injector.forgotten, 1);
	assert_int_equal(at_start(fixture), PEP_OK);
	assert_int_equal(fixture->injector.forgotten, 1);
	assert_int_equal(fixture_record(fixture)->state, PEP_DEPLOYED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_outcome_is_recorded),
		TEST(what_was_settled_is_only_forgotten),
		TEST(the_reason_is_the_injectors),
		TEST(a_running_one_stays_in_progress),
		TEST(a_lease_that_ends_while_it_runs_is_in_doubt_until_it_is_known),
		TEST(a_delivery_that_was_overtaken_goes_into_history),
		TEST(a_doubt_that_was_overtaken_is_dropped),
		TEST(while_storage_is_away_facts_go_to_the_spool),
		TEST(while_storage_is_away_doubts_wait),
		TEST(what_cannot_be_looked_at_is_asked_again),
		TEST(this_starts_own_are_left_alone),
		TEST(a_tool_runs_under_a_note),
		TEST(what_is_not_recorded_is_not_forgotten),
		TEST(without_a_note_nothing_is_started),
		TEST(an_injector_that_is_not_opaque_leaves_no_note),
		TEST(the_thread_waits_for_the_tool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
