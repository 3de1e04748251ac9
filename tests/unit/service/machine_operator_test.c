/* SPDX-License-Identifier: Apache-2.0
 *
 * machine_operator_test.c - rows 14 and 15 of docs/identity-life.md: what a person may say, and on what evidence.
 */
#include "tests/unit/service/records.h"

static struct machine_resolve says_deployed(void)
{
	return (struct machine_resolve){.attempt = 3,
					.deployed = true,
					.enrollment_id = "A-3",
					.dispatch_id = "dispatch-new",
					.now_ms = NOW,
					.reason = "resolved: read by a person"};
}

static struct machine_resolve says_failed(void)
{
	return (struct machine_resolve){.attempt = 3,
					.gateway_read = true,
					.program_ended = true,
					.dispatch_id = "dispatch-new",
					.now_ms = NOW,
					.reason = "resolved: read by a person"};
}

static void assert_resolve_is(const struct pep_identity *record, const struct machine_resolve *event, enum machine_verdict expected)
{
	struct pep_identity next = untouched();

	assert_int_equal(machine_resolve(record, event, &next), expected);
	assert_untouched(&next);
}

static void assert_resolves(const struct pep_identity *record, const struct machine_resolve *event, const char *enrollment_id)
{
	struct pep_identity next = untouched();
	struct pep_identity expected = *record;

	assert_int_equal(machine_resolve(record, event, &next), MACHINE_WRITE);
	assert_int_equal(next.state, event->deployed ? PEP_DEPLOYED : PEP_FAILED);
	assert_int_equal(next.lease_until_ms, 0);
	assert_string_equal(next.reason, "resolved: read by a person");
	if (event->deployed) {
		assert_string_equal(next.enrollment_id, enrollment_id);
		assert_string_equal(next.dispatch_id, "dispatch-new");
		expected.enrollment_id = next.enrollment_id;
		expected.dispatch_id = next.dispatch_id;
		expected.deployed_ms = NOW;
	}
	assert_same_but_state(&next, &expected);
}

static void deployed_needs_the_candidate(void **state)
{
	struct pep_identity record = record_in(PEP_IN_DOUBT);
	struct machine_resolve event = says_deployed();

	(void)state;
	assert_resolves(&record, &event, "A-3");
	event.enrollment_id = NULL;
	assert_resolves(&record, &event, "A-3");
	event.enrollment_id = "A-other";
	assert_resolve_is(&record, &event, MACHINE_REFUSED);
}

static void deployed_by_a_tool_needs_the_id(void **state)
{
	struct pep_identity record = record_in(PEP_IN_DOUBT);
	struct machine_resolve event = says_deployed();

	(void)state;
	record.enrollment_id = NULL;
	record.history = "[{\"attempt\":1,\"enrollmentID\":\"A-1\",\"ended\":\"in_doubt\"}]";
	event.enrollment_id = "A-tool";
	assert_resolves(&record, &event, "A-tool");
	event.enrollment_id = NULL;
	assert_resolve_is(&record, &event, MACHINE_REFUSED);
	event.enrollment_id = "A-1"; /* what an earlier attempt left there */
	assert_resolve_is(&record, &event, MACHINE_REFUSED);
}

static void failed_needs_both(void **state)
{
	struct pep_identity record = record_in(PEP_IN_DOUBT);
	struct machine_resolve event = says_failed();

	(void)state;
	assert_resolves(&record, &event, NULL);
	event.enrollment_id = "A-other";
	assert_resolves(&record, &event, NULL);
	event.enrollment_id = "A-3"; /* it is there! */
	assert_resolve_is(&record, &event, MACHINE_REFUSED);
	event = says_failed();
	event.gateway_read = false;
	assert_resolve_is(&record, &event, MACHINE_REFUSED);
	event = says_failed();
	event.program_ended = false;
	assert_resolve_is(&record, &event, MACHINE_REFUSED);
	record.enrollment_id = NULL;
	event = says_failed();
	assert_resolves(&record, &event, NULL);
}

/* Between the look and the word another attempt may have contacted, and be in doubt in its turn. */
static void evidence_is_about_one_attempt(void **state)
{
	struct pep_identity record = record_in(PEP_IN_DOUBT);
	struct machine_resolve event = says_failed();

	(void)state;
	event.attempt = 2;
	assert_resolve_is(&record, &event, MACHINE_REFUSED);
	event = says_deployed();
	event.attempt = 2;
	assert_resolve_is(&record, &event, MACHINE_REFUSED);
}

static void only_doubt_is_resolved(void **state)
{
	const uint32_t states[] = {PEP_CLAIMED, PEP_CONTACTED, PEP_ISSUED, PEP_DEPLOYED, PEP_FAILED, PEP_RETIRED};
	struct machine_resolve deployed = says_deployed();
	struct machine_resolve failed = says_failed();

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct pep_identity record = record_in(states[i]);

		assert_resolve_is(&record, &deployed, i < 3 ? MACHINE_IN_PROGRESS : MACHINE_REFUSED);
		assert_resolve_is(&record, &failed, i < 3 ? MACHINE_IN_PROGRESS : MACHINE_REFUSED);
	}
}

static void retire_from_every_state(void **state)
{
	const uint32_t may[] = {PEP_DEPLOYED, PEP_FAILED, PEP_IN_DOUBT};
	const uint32_t busy[] = {PEP_CLAIMED, PEP_CONTACTED, PEP_ISSUED};
	struct pep_identity record = record_in(PEP_RETIRED);
	struct pep_identity next = untouched();

	(void)state;
	assert_int_equal(machine_retire(&record, "retired: broken", &next), MACHINE_ALREADY);
	for (size_t i = 0; i < 3; i++) {
		record = record_in(busy[i]);
		assert_int_equal(machine_retire(&record, "retired: broken", &next), MACHINE_IN_PROGRESS);
	}
	assert_untouched(&next);
	for (size_t i = 0; i < 3; i++) {
		record = record_in(may[i]);
		assert_int_equal(machine_retire(&record, "retired: broken", &next), MACHINE_WRITE);
		assert_int_equal(next.state, PEP_RETIRED);
		assert_string_equal(next.reason, "retired: broken");
		assert_same_but_state(&next, &record);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deployed_needs_the_candidate),
		cmocka_unit_test(deployed_by_a_tool_needs_the_id),
		cmocka_unit_test(failed_needs_both),
		cmocka_unit_test(evidence_is_about_one_attempt),
		cmocka_unit_test(only_doubt_is_resolved),
		cmocka_unit_test(retire_from_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
