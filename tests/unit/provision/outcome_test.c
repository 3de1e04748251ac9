/* SPDX-License-Identifier: Apache-2.0
 *
 * outcome_test.c - what a request gets, and what the record says then, when storage does its work.
 */
#include "fixture.h"

#include "core/base/clock.h"

#include <string.h>

static void deploys_a_new_serial(void **state)
{
	struct fixture *fixture = *state;
	const struct pep_identity *record;

	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	record = fixture_record(fixture);
	assert_int_equal(record->attempt, 1);
	assert_int_equal(record->contacted, 1);
	assert_int_equal(record->generation, 1);
	assert_int_equal(record->revision, 4); /* claimed, contacted, issued, deployed */
	assert_int_equal(record->created_ms, STORE_START_MS);
	assert_int_equal(record->deployed_ms, STORE_START_MS);
	assert_string_equal(record->enrollment_id, ID_1);
	assert_string_equal(record->hardware_version, "hw-1");
	assert_string_equal(record->owner, OWNER);
	assert_string_equal(record->nonce, fixture->injector.nonce);
	assert_int_equal(strlen(record->dispatch_id), 24);
	assert_null(record->history);
	assert_int_equal(fixture->injector.forgotten, 1);
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
}

static void tells_the_injector_which_attempt_and_where(void **state)
{
	struct fixture *fixture = *state;
	struct pep_identity old = fixture_left_behind(PEP_FAILED, 0);

	fake_store_put(&fixture->store, &old);
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_int_equal(fixture->injector.id.attempt, 2);
	assert_int_equal(fixture->injector.id.state, PEP_CLAIMED);
	assert_int_equal(fixture->injector.id.revision, 6);
	assert_int_equal(strlen(fixture->injector.nonce), 32);
	assert_string_equal(fixture->injector.serial, SERIAL);
	assert_string_equal(fixture->injector.ip, "10.0.0.1");
	assert_int_equal(fixture->injector.port, 7777);
	assert_in_range(fixture->injector.timeout_ms, 1, FIXTURE_TIMEOUT_MS);
	assert_non_null(strstr(fixture_record(fixture)->history, ID_2)); /* what may have been left is not forgotten */
}

static void the_identity_lives_as_long_as_the_arena(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	/* Under AddressSanitizer this finds a text that stood on a stack. */
	assert_string_equal(fixture->result.identity->nonce, fixture->injector.nonce);
	assert_string_equal(fixture->result.identity->owner, OWNER);
}

static void the_same_request_is_replayed(void **state)
{
	struct fixture *fixture = *state;
	char first[64];

	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	(void)snprintf(first, sizeof(first), "%s", fixture->result.identity->enrollment_id);
	fixture_native(fixture, ID_2);
	assert_int_equal(fixture_provision(fixture), PROVISION_REPLAYED);
	assert_string_equal(fixture->result.identity->enrollment_id, first);
	assert_int_equal(fixture->injector.injections, 0);
	assert_int_equal(fixture_record(fixture)->revision, 4);
}

static void another_request_finds_it_taken(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	fixture->request.fields.request_digest = "digest-2";
	assert_int_equal(fixture_provision(fixture), PROVISION_MISMATCH);
	fixture->request.fields.idempotency_key = "key-2";
	assert_int_equal(fixture_provision(fixture), PROVISION_EXISTS);
	fixture->request.fields.idempotency_key = NULL;
	assert_int_equal(fixture_provision(fixture), PROVISION_EXISTS);
	assert_int_equal(fixture->injector.injections, 1);
	assert_int_equal(fixture_record(fixture)->revision, 4);
}

static void a_key_stands_for_one_serial(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	fixture->request = fixture_request("GW-2", 7777);
	assert_int_equal(fixture_provision(fixture), PROVISION_MISMATCH);
	assert_null(fake_store_record(&fixture->store, "GW-2"));
	fake_store_script(&fixture->store, STORE_SCAN_OPEN, 1, STORE_AWAY);
	assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
	fake_store_script(&fixture->store, STORE_SCAN_NEXT, 1, STORE_AWAY);
	assert_int_equal(fixture_provision(fixture), PROVISION_STORAGE_UNAVAILABLE);
	fixture->request.fields.idempotency_key = "key-2";
	fixture_native(fixture, ID_2);
	fixture->injector.steps[2].verb = INJECTOR_END; /* which looks at the other serial */
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
}

static void a_retired_serial_is_not_provisioned(void **state)
{
	struct fixture *fixture = *state;
	struct pep_identity old = fixture_left_behind(PEP_RETIRED, 0);

	fake_store_put(&fixture->store, &old);
	fixture->request.fields.idempotency_key = "key-old";
	fixture->request.fields.request_digest = "digest-old";
	assert_int_equal(fixture_provision(fixture), PROVISION_EXISTS);
	assert_int_equal(fixture->injector.injections, 0);
}

static void somebody_else_holds_the_serial(void **state)
{
	static const uint32_t active[] = {PEP_CLAIMED, PEP_CONTACTED, PEP_ISSUED};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 3; i++) {
		struct pep_identity held = fixture_left_behind(active[i], STORE_START_MS + 1);

		fake_store_put(&fixture->store, &held);
		assert_int_equal(fixture_provision(fixture), PROVISION_IN_PROGRESS);
		assert_int_equal(fixture_record(fixture)->revision, 5);
	}
	assert_int_equal(fixture->injector.injections, 0);
}

static void an_expired_lease_is_taken_over(void **state)
{
	static const uint32_t active[] = {PEP_CLAIMED, PEP_CONTACTED, PEP_ISSUED};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 3; i++) {
		struct pep_identity held = fixture_left_behind(active[i], STORE_START_MS);

		fake_store_put(&fixture->store, &held);
		assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
		assert_int_equal(fixture_record(fixture)->contacted, held.attempt + 1);
	}
}

static void the_endpoint_is_busy(void **state)
{
	struct fixture *fixture = *state;
	struct endpoint other = {.ip = "10.0.0.1", .port = 7777, .serial = "GW-2"};
	struct endpoint same = {.ip = "10.0.0.1", .port = 7777, .serial = SERIAL};
	struct endpoints *endpoints = &fixture->provisioner.endpoints;

	assert_int_equal(endpoints_hold(endpoints, &other), ENDPOINTS_HELD);
	provision_identity(&fixture->provisioner, &fixture->arena, &fixture->request, &fixture->result);
	assert_int_equal(fixture->result.outcome, PROVISION_ENDPOINT_BUSY);
	endpoints_release(endpoints, &other);
	assert_int_equal(endpoints_hold(endpoints, &same), ENDPOINTS_HELD);
	provision_identity(&fixture->provisioner, &fixture->arena, &fixture->request, &fixture->result);
	assert_int_equal(fixture->result.outcome, PROVISION_IN_PROGRESS);
	endpoints_release(endpoints, &same);
	assert_null(fake_store_record(&fixture->store, SERIAL));
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
}

static void a_replay_does_not_wait_for_the_endpoint(void **state)
{
	struct fixture *fixture = *state;
	struct endpoint other = {.ip = "10.0.0.1", .port = 7777, .serial = "GW-2"};

	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_int_equal(endpoints_hold(&fixture->provisioner.endpoints, &other), ENDPOINTS_HELD);
	provision_identity(&fixture->provisioner, &fixture->arena, &fixture->request, &fixture->result);
	assert_int_equal(fixture->result.outcome, PROVISION_REPLAYED);
	endpoints_release(&fixture->provisioner.endpoints, &other);
}

/* --- it does not work --- */

struct failure {
	uint32_t outcome;
	pep_status status;
	enum provision_outcome expected;
	uint32_t state;
	const char *code;
};

static void failures_leave_the_serial_free(void **state)
{
	static const struct failure failures[] = {
		{PEP_REFUSED, PEP_CONFLICT, PROVISION_REFUSED, PEP_FAILED, "gateway_refused: "},
		{PEP_REFUSED, PEP_INTERNAL, PROVISION_FAILED, PEP_FAILED, "injector_failed: "},
		{PEP_NOT_SENT, PEP_UNAVAILABLE, PROVISION_UNREACHABLE, PEP_FAILED, "gateway_unreachable: "},
		{PEP_NOT_SENT, PEP_TIMEOUT, PROVISION_TIMEOUT, PEP_FAILED, "injector_timeout: "},
		{PEP_NOT_SENT, PEP_CANCELLED, PROVISION_TIMEOUT, PEP_FAILED, "injector_timeout: "},
		{PEP_NOT_SENT, PEP_INTERNAL, PROVISION_FAILED, PEP_FAILED, "injector_failed: "},
		{PEP_DOUBTFUL, PEP_TIMEOUT, PROVISION_IN_DOUBT, PEP_IN_DOUBT, "in_doubt: "},
		{PEP_DOUBTFUL, PEP_UNAVAILABLE, PROVISION_IN_DOUBT, PEP_IN_DOUBT, "in_doubt: "},
		{0, PEP_INTERNAL, PROVISION_IN_DOUBT, PEP_IN_DOUBT, "in_doubt: "}, /* nothing said: not known */
	};

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		struct fixture *fixture;

		assert_int_equal(fixture_set_up(state), 0);
		fixture = *state;
		fixture_outcome(fixture, failures[i].outcome, failures[i].status);
		fixture->injector.detail = "because";
		assert_int_equal(fixture_provision(fixture), failures[i].expected);
		assert_int_equal(fixture_record(fixture)->state, failures[i].state);
		assert_int_equal(fixture_record(fixture)->lease_until_ms, 0);
		assert_memory_equal(fixture_record(fixture)->reason, failures[i].code, strlen(failures[i].code));
		assert_non_null(strstr(fixture_record(fixture)->reason, "because"));
		assert_int_equal(fixture->injector.forgotten, 1);
		fixture_native(fixture, ID_2);
		assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED); /* at once */
		assert_int_equal(fixture_record(fixture)->attempt, 2);
		(void)fixture_tear_down(state);
	}
}

static void what_was_not_reached_is_as_before(void **state)
{
	static const uint32_t before[] = {PEP_FAILED, PEP_IN_DOUBT};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 2; i++) {
		struct pep_identity old = fixture_left_behind(before[i], 0);

		fake_store_put(&fixture->store, &old);
		fixture->injector.steps[0].verb = INJECTOR_END;
		fixture_outcome(fixture, PEP_NOT_SENT, PEP_UNAVAILABLE);
		assert_int_equal(fixture_provision(fixture), PROVISION_UNREACHABLE);
		assert_int_equal(fixture_record(fixture)->state, before[i]);
		assert_int_equal(fixture_record(fixture)->contacted, 1);
		assert_string_equal(fixture_record(fixture)->enrollment_id, ID_2); /* candidate and all */
		assert_string_equal(fixture_record(fixture)->hardware_version, "hw-old");
	}
}

static void doubt_names_the_candidate(void **state)
{
	struct fixture *fixture = *state;

	fixture_outcome(fixture, PEP_DOUBTFUL, PEP_TIMEOUT);
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_DOUBT);
	assert_string_equal(fixture->result.enrollment_id, ID_1);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
}

static void doubt_names_the_candidate_that_only_the_witness_heard(void **state)
{
	struct fixture *fixture = *state;

	fixture_outcome(fixture, PEP_DOUBTFUL, PEP_TIMEOUT);
	fixture->injector.enrollment_id = NULL;
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_DOUBT);
	assert_string_equal(fixture->result.enrollment_id, ID_1);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
}

static void doubt_does_not_name_an_earlier_candidate(void **state)
{
	struct fixture *fixture = *state;
	struct pep_identity old = fixture_left_behind(PEP_IN_DOUBT, 0);

	fake_store_put(&fixture->store, &old);
	fixture->injector.steps[1].verb = INJECTOR_END; /* contacted, not issued */
	fixture->injector.enrollment_id = NULL;
	fixture_outcome(fixture, PEP_DOUBTFUL, PEP_TIMEOUT);
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_DOUBT);
	assert_string_equal(fixture->result.enrollment_id, "");
}

static void an_opaque_tool_tells_its_candidate_at_the_end(void **state)
{
	struct fixture *fixture = *state;

	fixture_opaque(fixture, ID_1);
	fixture_outcome(fixture, PEP_DOUBTFUL, PEP_INTERNAL);
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_DOUBT);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
	fixture_opaque(fixture, ID_2);
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_2);
	assert_non_null(strstr(fixture_record(fixture)->history, ID_1));
}

static void a_certificate_that_was_ready_before_connecting(void **state)
{
	struct fixture *fixture = *state;

	fixture->injector.steps[0] = fixture->injector.steps[1];
	fixture->injector.steps[1].verb = INJECTOR_END;
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_int_equal(fixture_record(fixture)->revision, 3); /* 7 and 8 are one write */
}

/* --- what a plugin must not be trusted with --- */

static void an_unfit_enrollment_id_is_refused(void **state)
{
	static const char *const unfit[] = {"", "A 1", "A\n1", "A\x7f", "A\xc3\xa4", NULL};
	char long_id[130];
	struct fixture *fixture = *state;

	memset(long_id, 'A', sizeof(long_id));
	long_id[128] = '\0';
	for (size_t i = 0; i < 7; i++) {
		fixture_native(fixture, i < 6 ? unfit[i] : long_id);
		assert_int_equal(fixture_provision(fixture), PROVISION_FAILED);
		assert_int_equal(fixture->injector.refused, PEP_INTERNAL);
		assert_int_equal(fixture_record(fixture)->state, PEP_FAILED);
		assert_null(fixture_record(fixture)->enrollment_id);
	}
	long_id[127] = '\0';
	fixture_native(fixture, long_id);
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
}

/* Nobody else has the serial: this is no 409, and the lease need not run out. */
static void a_second_certificate_is_a_defect(void **state)
{
	struct fixture *fixture = *state;

	fixture_step(fixture, 2, (struct injector_step){.verb = INJECTOR_ISSUED, .id = ID_2});
	assert_int_equal(fixture_provision(fixture), PROVISION_FAILED);
	assert_int_equal(fixture->injector.refused, PEP_INTERNAL);
	assert_int_equal(fixture_record(fixture)->state, PEP_FAILED);
	assert_int_equal(fixture_record(fixture)->lease_until_ms, 0);
}

static void a_history_that_cannot_be_read_is_not_written_over(void **state)
{
	struct fixture *fixture = *state;
	struct pep_identity old = fixture_left_behind(PEP_IN_DOUBT, 0);

	old.history = "not JSON";
	fake_store_put(&fixture->store, &old);
	assert_int_equal(fixture_provision(fixture), PROVISION_FAILED);
	assert_int_equal(fixture->injector.refused, PEP_INTERNAL);
	assert_int_equal(fixture_record(fixture)->state, PEP_IN_DOUBT);
	assert_int_equal(fixture_record(fixture)->lease_until_ms, 0);
	assert_string_equal(fixture_record(fixture)->history, "not JSON");
}

static void delivered_without_an_id_is_what_was_issued(void **state)
{
	struct fixture *fixture = *state;

	fixture->injector.enrollment_id = NULL;
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
	assert_string_equal(fixture_record(fixture)->enrollment_id, ID_1);
}

static void delivered_without_any_id_is_in_doubt(void **state)
{
	struct fixture *fixture = *state;

	fixture_opaque(fixture, "not ASCII \xc3\xa4");
	assert_int_equal(fixture_provision(fixture), PROVISION_IN_DOUBT);
	assert_string_equal(fixture->result.enrollment_id, "");
	assert_int_equal(fixture_record(fixture)->state, PEP_IN_DOUBT);
	assert_null(fixture_record(fixture)->enrollment_id);
}

static void a_reason_is_printable(void **state)
{
	struct fixture *fixture = *state;

	fixture_outcome(fixture, PEP_REFUSED, PEP_CONFLICT);
	fixture->injector.detail = "two\nlines, and half a character: \xc3";
	assert_int_equal(fixture_provision(fixture), PROVISION_REFUSED);
	assert_string_equal(fixture_record(fixture)->reason, "gateway_refused: two?lines, and half a character: ?");
	fixture->injector.detail = "Ger\xc3\xa4t";
	assert_int_equal(fixture_provision(fixture), PROVISION_REFUSED);
	assert_string_equal(fixture_record(fixture)->reason, "gateway_refused: Ger\xc3\xa4t");
}

static void without_a_detail_the_error_is_the_reason(void **state)
{
	struct fixture *fixture = *state;

	fixture_outcome(fixture, PEP_REFUSED, PEP_CONFLICT);
	assert_int_equal(fixture_provision(fixture), PROVISION_REFUSED);
	assert_string_equal(fixture_record(fixture)->reason, "gateway_refused: the fake injector says so");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deploys_a_new_serial),
		TEST(tells_the_injector_which_attempt_and_where),
		TEST(the_identity_lives_as_long_as_the_arena),
		TEST(the_same_request_is_replayed),
		TEST(another_request_finds_it_taken),
		TEST(a_key_stands_for_one_serial),
		TEST(a_retired_serial_is_not_provisioned),
		TEST(somebody_else_holds_the_serial),
		TEST(an_expired_lease_is_taken_over),
		TEST(the_endpoint_is_busy),
		TEST(a_replay_does_not_wait_for_the_endpoint),
		cmocka_unit_test(failures_leave_the_serial_free),
		TEST(what_was_not_reached_is_as_before),
		TEST(doubt_names_the_candidate),
		TEST(doubt_names_the_candidate_that_only_the_witness_heard),
		TEST(doubt_does_not_name_an_earlier_candidate),
		TEST(an_opaque_tool_tells_its_candidate_at_the_end),
		TEST(a_certificate_that_was_ready_before_connecting),
		TEST(an_unfit_enrollment_id_is_refused),
		TEST(a_second_certificate_is_a_defect),
		TEST(a_history_that_cannot_be_read_is_not_written_over),
		TEST(delivered_without_an_id_is_what_was_issued),
		TEST(delivered_without_any_id_is_in_doubt),
		TEST(a_reason_is_printable),
		TEST(without_a_detail_the_error_is_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
