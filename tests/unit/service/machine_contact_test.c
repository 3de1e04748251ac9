/* SPDX-License-Identifier: Apache-2.0
 *
 * machine_contact_test.c - rows 7, 8 and 10 to 12 of docs/identity-life.md: who may go on, and what an attempt leaves behind.
 */
#include "tests/unit/service/records.h"

#include "core/service/history.h"

#include <stdlib.h>
#include <string.h>

static struct machine_contact contact(const struct pep_identity *fields)
{
	return (struct machine_contact){.by = holder(), .fields = fields, .now_ms = NOW, .lease_ms = LEASE};
}

static int open_arena(void **state)
{
	*state = calloc(1, sizeof(struct arena)); /* an empty one */
	return *state ? 0 : -1;
}

static int close_arena(void **state)
{
	arena_fini(*state);
	free(*state);
	return 0;
}

static void contact_changes_hands(void **state)
{
	struct pep_identity record = record_claimed_over(PEP_IN_DOUBT);
	struct pep_identity fields = request_fields();
	struct machine_contact event = contact(&fields);
	struct pep_identity next = untouched();

	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
	assert_int_equal(next.state, PEP_CONTACTED);
	assert_int_equal(next.contacted, 3);
	assert_int_equal(next.attempt, 3);
	assert_int_equal(next.revision, 7);
	assert_int_equal(next.generation, 1);
	assert_int_equal(next.lease_until_ms, NOW + LEASE);
	assert_int_equal(next.created_ms, NOW - 1000);
	assert_null(next.enrollment_id);
	assert_null(next.dispatch_id);
	assert_null(next.reason);
	assert_string_equal(next.nonce, "nonce-3");
	assert_string_equal(next.owner, "server-a/start-1");
	assert_string_equal(next.idempotency_key, "key-new");
	assert_string_equal(next.request_digest, "digest-new");
	assert_string_equal(next.hardware_version, "new");
	assert_string_equal(next.station, "new");
	assert_string_equal(next.request_id, "new");
	assert_string_equal(next.history, "[{\"attempt\":2,\"generation\":1,\"enrollmentID\":\"A-2\",\"ended\":\"in_doubt\","
					  "\"reason\":\"old: reason\"}]");
}

static void contact_over_a_deployed_identity_begins_a_life(void **state)
{
	const uint32_t befores[] = {PEP_DEPLOYED, PEP_RETIRED};

	for (size_t i = 0; i < 2; i++) {
		struct pep_identity record = record_claimed_over(befores[i]);
		struct pep_identity fields = request_fields();
		struct machine_contact event = contact(&fields);
		struct pep_identity next;

		assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
		assert_int_equal(next.generation, 2);
		assert_int_equal(next.deployed_ms, 0);
		assert_null(next.dispatch_id);
		assert_true(history_delivered(next.history, 2));
		assert_non_null(strstr(next.history, "\"generation\":1,"));
		assert_non_null(strstr(next.history, "\"_id\":\"dispatch-2\",\"deployedAt\":999500,"));
	}
}

/* How the old one ended, by what the claim found. */
static void history_says_how_it_ended(void **state)
{
	struct pep_identity record = record_claimed_over(PEP_FAILED);
	struct pep_identity fields = request_fields();
	struct machine_contact event = contact(&fields);
	struct pep_identity next;

	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
	assert_non_null(strstr(next.history, "\"ended\":\"failed\""));
	record = record_claimed_over(PEP_RETIRED);
	record.dispatch_id = NULL;
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
	assert_non_null(strstr(next.history, "\"ended\":\"retired\""));
}

static void never_issued_leaves_no_history(void **state)
{
	struct pep_identity record = record_in(PEP_CLAIMED);
	struct pep_identity fields = request_fields();
	struct machine_contact event = contact(&fields);
	struct pep_identity next;

	record.enrollment_id = NULL;
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
	assert_null(next.history);
	/* A tool that could not tell may have: its attempt is kept. */
	event.opaque = true;
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
	assert_string_equal(next.history, "[{\"attempt\":2,\"generation\":1,\"ended\":\"failed\",\"reason\":\"old: reason\"}]");
	/* Nobody contacted before the first. */
	record.contacted = 0;
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
	assert_null(next.history);
}

static void history_grows_and_is_kept(void **state)
{
	struct pep_identity record = record_in(PEP_CLAIMED);
	struct pep_identity fields = request_fields();
	struct machine_contact event = contact(&fields);
	struct pep_identity next;

	record.history = "[{\"attempt\":1,\"enrollmentID\":\"A-1\",\"ended\":\"delivered\"}]";
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
	assert_true(history_delivered(next.history, 1));
	assert_int_equal(history_attempt_of(next.history, "A-2"), 2);
	record.enrollment_id = NULL;
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
	assert_string_equal(next.history, record.history);
}

static void broken_history_is_not_written_over(void **state)
{
	struct pep_identity record = record_in(PEP_CLAIMED);
	struct pep_identity fields = request_fields();
	struct machine_contact event = contact(&fields);
	struct pep_identity next = untouched();

	record.history = "[{\"attempt\":";
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_REFUSED);
	assert_untouched(&next);
}

static void ready_certificate_is_one_write(void **state)
{
	struct pep_identity record = record_in(PEP_CLAIMED);
	struct pep_identity fields = request_fields();
	struct machine_contact event = contact(&fields);
	struct pep_identity next;
	struct pep_identity unused = untouched();

	event.enrollment_id = "A-3";
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
	assert_int_equal(next.state, PEP_ISSUED);
	assert_int_equal(next.contacted, 3);
	assert_string_equal(next.enrollment_id, "A-3");
	assert_string_equal(next.idempotency_key, "key-new");
	assert_int_equal(machine_contact(*state, &next, &event, &unused), MACHINE_ALREADY);
	event.enrollment_id = "A-other";
	assert_int_equal(machine_contact(*state, &next, &event, &unused), MACHINE_NOT_MINE);
	assert_untouched(&unused);
}

static void contact_read_back_is_a_confirmation(void **state)
{
	struct pep_identity record = record_in(PEP_CONTACTED);
	struct pep_identity fields = request_fields();
	struct machine_contact event = contact(&fields);
	struct pep_identity next = untouched();

	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_ALREADY);
	assert_untouched(&next);
}

static void contact_needs_the_claim(void **state)
{
	const uint32_t states[] = {PEP_ISSUED, PEP_DEPLOYED, PEP_FAILED, PEP_IN_DOUBT, PEP_RETIRED};
	struct pep_identity fields = request_fields();
	struct machine_contact event = contact(&fields);
	struct pep_identity record = record_in(PEP_CLAIMED);
	struct pep_identity next = untouched();

	event.by.nonce = "nonce-other";
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_NOT_MINE);
	event.by = earlier();
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_NOT_MINE);
	event.by = (struct machine_attempt){.attempt = 2, .nonce = "nonce-3"};
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_NOT_MINE);
	event.by = holder();
	for (size_t i = 0; i < 5; i++) {
		record = record_in(states[i]);
		assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_NOT_MINE);
	}
	assert_untouched(&next);
}

/* The holder does not look at its lease: as long as nobody has written, it may go on. */
static void contact_does_not_look_at_the_lease(void **state)
{
	struct pep_identity record = record_in(PEP_CLAIMED);
	struct pep_identity fields = request_fields();
	struct machine_contact event = contact(&fields);
	struct pep_identity next;

	record.lease_until_ms = NOW - 1;
	assert_int_equal(machine_contact(*state, &record, &event, &next), MACHINE_WRITE);
	assert_int_equal(next.lease_until_ms, NOW + LEASE);
}

static void issue_records_the_identity(void **state)
{
	struct pep_identity record = record_in(PEP_CONTACTED);
	struct machine_issue event = {.by = holder(), .enrollment_id = "A-3", .now_ms = NOW, .lease_ms = LEASE};
	struct pep_identity next;
	struct pep_identity unused = untouched();

	(void)state;
	assert_int_equal(machine_issue(&record, &event, &next), MACHINE_WRITE);
	assert_int_equal(next.state, PEP_ISSUED);
	assert_int_equal(next.lease_until_ms, NOW + LEASE);
	assert_string_equal(next.enrollment_id, "A-3");
	next.enrollment_id = NULL;
	assert_same_but_state(&next, &record);
	record = record_in(PEP_ISSUED);
	assert_int_equal(machine_issue(&record, &event, &unused), MACHINE_ALREADY);
	event.enrollment_id = "A-other";
	assert_int_equal(machine_issue(&record, &event, &unused), MACHINE_REFUSED);
	assert_untouched(&unused);
}

static void issue_needs_the_contact(void **state)
{
	const uint32_t states[] = {PEP_DEPLOYED, PEP_FAILED, PEP_IN_DOUBT, PEP_RETIRED};
	struct machine_issue event = {.by = holder(), .enrollment_id = "A-3", .now_ms = NOW, .lease_ms = LEASE};
	struct pep_identity record = record_in(PEP_CLAIMED);
	struct pep_identity next = untouched();

	(void)state;
	assert_int_equal(machine_issue(&record, &event, &next), MACHINE_REFUSED);
	event.by = earlier();
	assert_int_equal(machine_issue(&record, &event, &next), MACHINE_NOT_MINE); /* claimed by a later one */
	record = record_in(PEP_CONTACTED);
	assert_int_equal(machine_issue(&record, &event, &next), MACHINE_NOT_MINE);
	event.by = holder();
	for (size_t i = 0; i < 4; i++) {
		record = record_in(states[i]);
		assert_int_equal(machine_issue(&record, &event, &next), MACHINE_NOT_MINE);
	}
	assert_untouched(&next);
}

static void assert_ends(const struct pep_identity *record, const struct machine_end *event, uint32_t expected)
{
	struct pep_identity next = untouched();

	assert_int_equal(machine_end(record, event, &next), MACHINE_WRITE);
	assert_int_equal(next.state, expected);
	assert_int_equal(next.lease_until_ms, 0);
	assert_string_equal(next.reason, "code: why");
	assert_same_but_state(&next, record);
}

static void assert_end_is(const struct pep_identity *record, const struct machine_end *event, enum machine_verdict expected)
{
	struct pep_identity next = untouched();

	assert_int_equal(machine_end(record, event, &next), expected);
	assert_untouched(&next);
}

static void unsent_returns_to_before(void **state)
{
	const uint32_t befores[] = {PEP_FAILED, PEP_IN_DOUBT, PEP_DEPLOYED, PEP_RETIRED};
	struct machine_end event = {.by = holder(), .kind = MACHINE_END_NOT_SENT, .reason = "code: why"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct pep_identity record = record_claimed_over(befores[i]);

		event.by = holder();
		assert_ends(&record, &event, befores[i]);
		event.by.nonce = "nonce-other";
		assert_end_is(&record, &event, MACHINE_NOT_MINE);
		event.by = earlier(); /* contacted, but a later one has claimed */
		assert_end_is(&record, &event, MACHINE_NOT_MINE);
	}
}

/* Of a gateway that was not contacted nobody can say anything but that nothing was sent. */
static void claimed_ends_unsent_only(void **state)
{
	struct pep_identity record = record_in(PEP_CLAIMED);
	struct machine_end event = {.by = holder(), .reason = "code: why"};

	(void)state;
	event.kind = MACHINE_END_REFUSED;
	assert_end_is(&record, &event, MACHINE_REFUSED);
	event.kind = MACHINE_END_DOUBTFUL;
	assert_end_is(&record, &event, MACHINE_REFUSED);
}

static void refused_and_unsent_fail(void **state)
{
	const enum machine_end_kind kinds[] = {MACHINE_END_NOT_SENT, MACHINE_END_REFUSED};
	const uint32_t states[] = {PEP_CONTACTED, PEP_ISSUED, PEP_IN_DOUBT};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct machine_end event = {.by = holder(), .kind = kinds[i / 3], .reason = "code: why"};
		struct pep_identity record = record_in(states[i % 3]);

		assert_ends(&record, &event, PEP_FAILED);
		event.by = earlier();
		assert_end_is(&record, &event, MACHINE_NOT_MINE);
	}
}

static void refused_does_not_undo(void **state)
{
	struct machine_end event = {.by = holder(), .kind = MACHINE_END_REFUSED, .reason = "code: why"};
	struct pep_identity record = record_in(PEP_DEPLOYED);

	(void)state;
	assert_end_is(&record, &event, MACHINE_NOT_MINE);
	record = record_in(PEP_RETIRED);
	assert_end_is(&record, &event, MACHINE_NOT_MINE);
	record = record_in(PEP_FAILED);
	assert_end_is(&record, &event, MACHINE_ALREADY);
}

static void doubtful_keeps_the_candidate(void **state)
{
	struct machine_end event = {.by = holder(), .kind = MACHINE_END_DOUBTFUL, .enrollment_id = "A-tool", .reason = "code: why"};
	struct pep_identity record = record_in(PEP_ISSUED);
	struct pep_identity next;

	(void)state;
	assert_ends(&record, &event, PEP_IN_DOUBT); /* the one on record stays */
	record = record_in(PEP_CONTACTED);
	assert_int_equal(machine_end(&record, &event, &next), MACHINE_WRITE);
	assert_int_equal(next.state, PEP_IN_DOUBT);
	assert_string_equal(next.enrollment_id, "A-tool");
	event.enrollment_id = NULL;
	assert_ends(&record, &event, PEP_IN_DOUBT);
	event.by = earlier();
	assert_end_is(&record, &event, MACHINE_NOT_MINE);
}

/* Another server's reaper was first: the candidate is still worth a write. */
static void doubtful_teaches_what_lapsed(void **state)
{
	struct machine_end event = {.by = holder(), .kind = MACHINE_END_DOUBTFUL, .enrollment_id = "A-tool", .reason = "code: why"};
	struct pep_identity record = record_in(PEP_IN_DOUBT);
	struct pep_identity next;

	(void)state;
	assert_end_is(&record, &event, MACHINE_ALREADY);
	record.enrollment_id = NULL;
	assert_int_equal(machine_end(&record, &event, &next), MACHINE_WRITE);
	assert_string_equal(next.enrollment_id, "A-tool");
	assert_int_equal(next.state, PEP_IN_DOUBT);
	event.enrollment_id = NULL;
	assert_end_is(&record, &event, MACHINE_ALREADY);
	record = record_in(PEP_FAILED);
	assert_end_is(&record, &event, MACHINE_NOT_MINE);
	record = record_in(PEP_DEPLOYED);
	assert_end_is(&record, &event, MACHINE_NOT_MINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(contact_changes_hands, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(contact_over_a_deployed_identity_begins_a_life, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(history_says_how_it_ended, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(never_issued_leaves_no_history, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(history_grows_and_is_kept, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(broken_history_is_not_written_over, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(ready_certificate_is_one_write, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(contact_read_back_is_a_confirmation, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(contact_needs_the_claim, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(contact_does_not_look_at_the_lease, open_arena, close_arena),
		cmocka_unit_test(issue_records_the_identity),
		cmocka_unit_test(issue_needs_the_contact),
		cmocka_unit_test(unsent_returns_to_before),
		cmocka_unit_test(claimed_ends_unsent_only),
		cmocka_unit_test(refused_and_unsent_fail),
		cmocka_unit_test(refused_does_not_undo),
		cmocka_unit_test(doubtful_keeps_the_candidate),
		cmocka_unit_test(doubtful_teaches_what_lapsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
