/* SPDX-License-Identifier: Apache-2.0
 *
 * machine_deliver_test.c - rows 9 and 9h of docs/identity-life.md: a delivered fact is never thrown away, and never wins over a
 * later contact.
 */
#include "tests/unit/service/records.h"

#include "core/service/history.h"

#include <stdlib.h>
#include <string.h>

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

static struct machine_delivery delivery(uint32_t attempt)
{
	return (struct machine_delivery){
		.attempt = attempt, .enrollment_id = "A-delivered", .dispatch_id = "dispatch-new", .now_ms = NOW};
}

static void assert_deployed(const struct pep_identity *next, const struct pep_identity *record)
{
	struct pep_identity expected = *record;

	assert_int_equal(next->state, PEP_DEPLOYED);
	assert_int_equal(next->lease_until_ms, 0);
	assert_int_equal(next->deployed_ms, NOW);
	assert_string_equal(next->enrollment_id, "A-delivered");
	assert_string_equal(next->dispatch_id, "dispatch-new");
	assert_null(next->reason);
	expected.deployed_ms = NOW;
	expected.enrollment_id = next->enrollment_id;
	expected.dispatch_id = next->dispatch_id;
	assert_same_but_state(next, &expected);
}

static void assert_deliver_is(struct arena *arena, const struct pep_identity *record, const struct machine_delivery *event,
			      enum machine_verdict expected)
{
	struct pep_identity next = untouched();

	assert_int_equal(machine_deliver(arena, record, event, &next), expected);
	assert_untouched(&next);
}

static void delivered_from_every_state_of_the_contact(void **state)
{
	const uint32_t states[] = {PEP_CONTACTED, PEP_ISSUED, PEP_IN_DOUBT, PEP_FAILED};
	struct machine_delivery event = delivery(3);

	for (size_t i = 0; i < 4; i++) {
		struct pep_identity record = record_in(states[i]);
		struct pep_identity next = untouched();

		assert_false(machine_has_delivery(&record, 3));
		assert_int_equal(machine_deliver(*state, &record, &event, &next), MACHINE_WRITE);
		assert_deployed(&next, &record);
		assert_true(machine_has_delivery(&next, 3));
	}
}

/* Not of whom the last claim was, but whose attempt the gateway has. */
static void delivered_names_who_did_it(void **state)
{
	struct machine_delivery event = delivery(2);
	struct pep_identity record = record_claimed_over(PEP_IN_DOUBT);
	struct pep_identity next = untouched();

	event.owner = "server-b/start-7";
	assert_int_equal(machine_deliver(*state, &record, &event, &next), MACHINE_WRITE);
	assert_string_equal(next.owner, "server-b/start-7");
}

/* Nobody has touched the gateway since: the claim of a later attempt ends. */
static void delivered_under_a_later_claim(void **state)
{
	const uint32_t befores[] = {PEP_FAILED, PEP_IN_DOUBT};
	struct machine_delivery event = delivery(2);

	for (size_t i = 0; i < 2; i++) {
		struct pep_identity record = record_claimed_over(befores[i]);
		struct machine_end end = {.by = holder(), .kind = MACHINE_END_NOT_SENT, .reason = "code: why"};
		struct pep_identity next = untouched();
		struct pep_identity unused = untouched();

		assert_int_equal(machine_deliver(*state, &record, &event, &next), MACHINE_WRITE);
		assert_deployed(&next, &record);
		assert_int_equal(next.attempt, 3);
		assert_int_equal(next.contacted, 2);
		assert_int_equal(machine_end(&next, &end, &unused), MACHINE_NOT_MINE);
		assert_untouched(&unused);
	}
}

static void delivered_twice_changes_nothing(void **state)
{
	struct machine_delivery event = delivery(3);
	struct machine_delivery second = delivery(2);
	struct pep_identity record = record_in(PEP_DEPLOYED);

	assert_deliver_is(*state, &record, &event, MACHINE_ALREADY); /* dispatch-3 stays */
	record = record_in(PEP_RETIRED);
	assert_true(machine_has_delivery(&record, 3));
	assert_deliver_is(*state, &record, &event, MACHINE_ALREADY);
	record = record_claimed_over(PEP_DEPLOYED);
	assert_true(machine_has_delivery(&record, 2));
	assert_deliver_is(*state, &record, &second, MACHINE_ALREADY);
	record = record_claimed_over(PEP_RETIRED);
	assert_true(machine_has_delivery(&record, 2));
	assert_deliver_is(*state, &record, &second, MACHINE_ALREADY);
}

/* Row 9h, whatever became of the later attempt: a note, and nothing else. */
static void superseded_goes_to_history(void **state)
{
	const uint32_t states[] = {PEP_CLAIMED, PEP_CONTACTED, PEP_ISSUED, PEP_DEPLOYED, PEP_FAILED, PEP_IN_DOUBT, PEP_RETIRED};
	struct machine_delivery event = delivery(1);

	for (size_t i = 0; i < 7; i++) {
		struct pep_identity record = record_in(states[i]);
		struct pep_identity next = untouched();
		const char *history;

		assert_int_equal(machine_deliver(*state, &record, &event, &next), MACHINE_WRITE);
		assert_string_equal(next.history,
				    "[{\"attempt\":1,\"enrollmentID\":\"A-delivered\",\"ended\":\"delivered\",\"reason\":"
				    "\"superseded: a later attempt had reached the gateway, or it was retired, when this was "
				    "recorded\"}]");
		assert_true(machine_has_delivery(&next, 1));
		assert_deliver_is(*state, &next, &event, MACHINE_ALREADY);
		history = next.history;
		next.history = NULL;
		assert_memory_equal(&next, &record, sizeof(next));
		/* The holder still holds it. */
		assert_int_equal(next.lease_until_ms, record.lease_until_ms);
		assert_non_null(history);
	}
}

static void superseded_marks_the_entry_it_has(void **state)
{
	struct pep_identity record = record_in(PEP_ISSUED);
	struct machine_delivery event = delivery(2);
	struct pep_identity next;

	record.history =
		"[{\"attempt\":1,\"ended\":\"failed\"},{\"attempt\":2,\"generation\":4,\"ended\":\"in_doubt\",\"reason\":\"x\"}]";
	assert_false(machine_has_delivery(&record, 2));
	assert_int_equal(machine_deliver(*state, &record, &event, &next), MACHINE_WRITE);
	assert_true(history_delivered(next.history, 2));
	assert_false(history_delivered(next.history, 1));
	assert_int_equal(history_attempt_of(next.history, "A-delivered"), 2);
	assert_non_null(strstr(next.history, "\"attempt\":2,\"generation\":4,\"ended\":\"delivered\""));
}

/* Retired while in doubt, then known: what an operator has taken out of service does not come back by itself. */
static void delivered_after_retiring_is_a_note(void **state)
{
	struct pep_identity record = record_in(PEP_RETIRED);
	struct machine_delivery event = delivery(3);
	struct machine_delivery earlier_event = delivery(2);
	struct pep_identity next;

	record.dispatch_id = NULL;
	record.deployed_ms = 0;
	assert_false(machine_has_delivery(&record, 3));
	assert_int_equal(machine_deliver(*state, &record, &event, &next), MACHINE_WRITE);
	assert_int_equal(next.state, PEP_RETIRED);
	assert_null(next.dispatch_id);
	assert_true(history_delivered(next.history, 3));
	assert_deliver_is(*state, &next, &event, MACHINE_ALREADY);
	record = record_claimed_over(PEP_RETIRED);
	record.dispatch_id = NULL;
	record.deployed_ms = 0;
	assert_int_equal(machine_deliver(*state, &record, &earlier_event, &next), MACHINE_WRITE);
	assert_int_equal(next.state, PEP_CLAIMED);
	assert_true(history_delivered(next.history, 2));
}

/* That note stays when the next one contacts: one entry for an attempt, and delivered stays delivered. */
static void note_survives_the_next_contact(void **state)
{
	struct pep_identity record = record_claimed_over(PEP_RETIRED);
	struct pep_identity fields = request_fields();
	struct machine_delivery event = delivery(2);
	struct machine_contact contact = {.by = holder(), .fields = &fields, .now_ms = NOW, .lease_ms = LEASE, .opaque = true};
	struct pep_identity noted;
	struct pep_identity next;

	record.dispatch_id = NULL;
	record.enrollment_id = NULL;
	assert_int_equal(machine_deliver(*state, &record, &event, &noted), MACHINE_WRITE);
	assert_int_equal(machine_contact(*state, &noted, &contact, &next), MACHINE_WRITE);
	assert_true(history_delivered(next.history, 2));
	assert_int_equal(history_attempt_of(next.history, "A-delivered"), 2);
	assert_null(strstr(strstr(next.history, "\"attempt\"") + 1, "\"attempt\""));
}

static void delivered_by_nobody_is_refused(void **state)
{
	struct pep_identity record = record_in(PEP_CLAIMED);
	struct machine_delivery event = delivery(3); /* claimed, but never contacted */

	assert_deliver_is(*state, &record, &event, MACHINE_REFUSED);
	record = record_in(PEP_DEPLOYED);
	event = delivery(9);
	assert_deliver_is(*state, &record, &event, MACHINE_REFUSED);
	record = record_in(PEP_ISSUED);
	event = delivery(3);
	event.enrollment_id = NULL;
	assert_deliver_is(*state, &record, &event, MACHINE_REFUSED);
}

static void broken_history_keeps_the_spool(void **state)
{
	struct pep_identity record = record_in(PEP_ISSUED);
	struct machine_delivery event = delivery(1);

	record.history = "{}";
	assert_false(machine_has_delivery(&record, 1));
	assert_deliver_is(*state, &record, &event, MACHINE_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delivered_from_every_state_of_the_contact),
		cmocka_unit_test(delivered_names_who_did_it),
		cmocka_unit_test(delivered_under_a_later_claim),
		cmocka_unit_test(delivered_twice_changes_nothing),
		cmocka_unit_test(superseded_goes_to_history),
		cmocka_unit_test(superseded_marks_the_entry_it_has),
		cmocka_unit_test(delivered_after_retiring_is_a_note),
		cmocka_unit_test(note_survives_the_next_contact),
		cmocka_unit_test(delivered_by_nobody_is_refused),
		cmocka_unit_test(broken_history_keeps_the_spool),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
