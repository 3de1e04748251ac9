/* SPDX-License-Identifier: Apache-2.0
 *
 * machine_request_test.c - rows 1 to 6 and 13 of docs/identity-life.md: who may claim a serial, and what an ended lease leaves.
 */
#include "tests/unit/service/records.h"

#include <string.h>

static struct machine_request request(const struct pep_identity *fields)
{
	return (struct machine_request){
		.fields = fields, .nonce = "nonce-new", .owner = "server-b/start-9", .now_ms = NOW, .lease_ms = LEASE};
}

static void assert_request(const struct pep_identity *record, const struct machine_request *event, enum machine_verdict expected)
{
	struct arena arena = {0};
	struct pep_identity next = untouched();

	assert_int_equal(machine_request(&arena, record, event, &next), expected);
	if (expected != MACHINE_WRITE)
		assert_untouched(&next);
	arena_fini(&arena);
}

/* A claim of `record` succeeds and writes only what a lock needs. */
static void assert_claims(const struct pep_identity *record, const struct machine_request *event, uint32_t before)
{
	struct arena arena = {0};
	struct pep_identity next = untouched();
	struct pep_identity expected = *record;

	assert_int_equal(machine_request(&arena, record, event, &next), MACHINE_WRITE);
	assert_int_equal(next.state, PEP_CLAIMED);
	assert_int_equal(next.before, before);
	assert_int_equal(next.lease_until_ms, NOW + LEASE);
	expected.attempt++;
	expected.nonce = "nonce-new";
	expected.owner = "server-b/start-9";
	assert_string_equal(next.nonce, expected.nonce);
	assert_string_equal(next.owner, expected.owner);
	next.nonce = expected.nonce;
	next.owner = expected.owner;
	assert_same_but_state(&next, &expected);
	arena_fini(&arena);
}

static void first_request_inserts(void **state)
{
	struct arena arena = {0};
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);
	struct pep_identity next = untouched();

	(void)state;
	assert_int_equal(machine_request(&arena, NULL, &event, &next), MACHINE_WRITE);
	assert_int_equal(next.struct_size, sizeof(next));
	assert_int_equal(next.state, PEP_CLAIMED);
	assert_int_equal(next.before, PEP_FAILED);
	assert_int_equal(next.revision, 0);
	assert_int_equal(next.attempt, 1);
	assert_int_equal(next.contacted, 0);
	assert_int_equal(next.generation, 1);
	assert_int_equal(next.created_ms, NOW);
	assert_int_equal(next.deployed_ms, 0);
	assert_int_equal(next.lease_until_ms, NOW + LEASE);
	assert_string_equal(next.serial, "serial-1");
	assert_string_equal(next.nonce, "nonce-new");
	assert_string_equal(next.owner, "server-b/start-9");
	assert_string_equal(next.hardware_version, "new");
	assert_string_equal(next.sixb_mac, "new");
	assert_string_equal(next.idempotency_key, "key-new");
	assert_string_equal(next.request_digest, "digest-new");
	assert_null(next.enrollment_id);
	assert_null(next.dispatch_id);
	assert_null(next.history);
	assert_null(next.reason);
	arena_fini(&arena);
}

static void grant_for_nothing_is_refused(void **state)
{
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	event.replace = "A-3";
	assert_request(NULL, &event, MACHINE_REFUSED);
}

static void failed_and_in_doubt_accept(void **state)
{
	const uint32_t states[] = {PEP_FAILED, PEP_IN_DOUBT};
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct pep_identity record = record_in(states[i]);

		assert_claims(&record, &event, states[i]);
	}
}

/* Row 3: to the last millisecond of the lease. Row 2: from its end on. */
static void lease_ends_at_its_time(void **state)
{
	const uint32_t states[] = {PEP_CLAIMED, PEP_CONTACTED, PEP_ISSUED};
	const uint32_t lapsed[] = {PEP_FAILED, PEP_FAILED, PEP_IN_DOUBT};
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pep_identity record = record_in(states[i]);

		record.lease_until_ms = NOW + 1;
		assert_request(&record, &event, MACHINE_IN_PROGRESS);
		record.lease_until_ms = NOW;
		assert_claims(&record, &event, lapsed[i]);
		record.lease_until_ms = NOW - 1;
		assert_claims(&record, &event, lapsed[i]);
	}
}

/* Not even the key that holds the serial gets past a valid lease. */
static void same_key_in_progress_waits(void **state)
{
	struct pep_identity record = record_in(PEP_ISSUED);
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	fields.idempotency_key = "key-old";
	fields.request_digest = "digest-old";
	assert_request(&record, &event, MACHINE_IN_PROGRESS);
}

static void expired_opaque_contact_is_in_doubt(void **state)
{
	struct pep_identity record = record_in(PEP_CONTACTED);
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	record.lease_until_ms = NOW;
	event.opaque = true;
	assert_claims(&record, &event, PEP_IN_DOUBT);
}

static void expired_claim_keeps_what_was_before(void **state)
{
	struct pep_identity record = record_claimed_over(PEP_IN_DOUBT);
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	record.lease_until_ms = NOW;
	assert_claims(&record, &event, PEP_IN_DOUBT);
}

static void same_key_and_digest_replays(void **state)
{
	struct pep_identity record = record_in(PEP_DEPLOYED);
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	fields.idempotency_key = "key-old";
	fields.request_digest = "digest-old";
	assert_request(&record, &event, MACHINE_REPLAY);
	event.replace = "A-1"; /* the retry of a reprovisioning that has worked */
	assert_request(&record, &event, MACHINE_REPLAY);
	record.state = PEP_RETIRED;
	event.replace = NULL;
	assert_request(&record, &event, MACHINE_EXISTS);
}

static void same_key_other_digest_is_a_mismatch(void **state)
{
	struct pep_identity record = record_in(PEP_DEPLOYED);
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	fields.idempotency_key = "key-old";
	assert_request(&record, &event, MACHINE_MISMATCH);
	fields.idempotency_key = "key-other";
	assert_request(&record, &event, MACHINE_EXISTS);
	/* Elsewhere there is no answer that could be repeated. */
	record = record_in(PEP_FAILED);
	fields.idempotency_key = "key-old";
	assert_claims(&record, &event, PEP_FAILED);
}

static void no_key_never_replays(void **state)
{
	struct pep_identity record = record_in(PEP_DEPLOYED);
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	fields.idempotency_key = NULL;
	fields.request_digest = "digest-old";
	assert_request(&record, &event, MACHINE_EXISTS);
	record.idempotency_key = NULL;
	assert_request(&record, &event, MACHINE_EXISTS);
}

static void grant_claims_what_it_names(void **state)
{
	const uint32_t states[] = {PEP_DEPLOYED, PEP_RETIRED};
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct pep_identity record = record_in(states[i]);

		event.replace = NULL;
		assert_request(&record, &event, MACHINE_EXISTS);
		event.replace = "A-3";
		assert_claims(&record, &event, states[i]);
		event.replace = "A-2";
		assert_request(&record, &event, MACHINE_EXISTS);
		record.enrollment_id = NULL;
		assert_request(&record, &event, MACHINE_EXISTS);
	}
}

/* The whole way: granted, deployed anew; then the same grant names what is no more. */
static void grant_works_once(void **state)
{
	struct arena arena = {0};
	struct pep_identity record = record_in(PEP_DEPLOYED);
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);
	struct pep_identity claimed;
	struct pep_identity contacted;
	struct pep_identity deployed;
	struct machine_contact contact = {
		.by = {4, "nonce-new"}, .fields = &fields, .now_ms = NOW, .lease_ms = LEASE, .enrollment_id = "A-4"};
	struct machine_delivery delivery = {.attempt = 4, .enrollment_id = "A-4", .dispatch_id = "dispatch-4", .now_ms = NOW};

	(void)state;
	event.replace = "A-3";
	assert_int_equal(machine_request(&arena, &record, &event, &claimed), MACHINE_WRITE);
	assert_int_equal(machine_contact(&arena, &claimed, &contact, &contacted), MACHINE_WRITE);
	assert_int_equal(machine_deliver(&arena, &contacted, &delivery, &deployed), MACHINE_WRITE);
	assert_request(&deployed, &event, MACHINE_REPLAY);
	fields.idempotency_key = "key-third";
	assert_request(&deployed, &event, MACHINE_EXISTS);
	arena_fini(&arena);
}

/* A claim that sent nothing is over: the deployed identity below it needs a grant as before. */
static void expired_claim_does_not_open_a_deployed_identity(void **state)
{
	struct pep_identity record = record_claimed_over(PEP_DEPLOYED);
	struct pep_identity fields = request_fields();
	struct machine_request event = request(&fields);

	(void)state;
	record.lease_until_ms = NOW;
	assert_request(&record, &event, MACHINE_EXISTS);
	event.replace = "A-2";
	assert_claims(&record, &event, PEP_DEPLOYED);
	event.replace = NULL;
	fields.idempotency_key = "key-old";
	fields.request_digest = "digest-old";
	assert_request(&record, &event, MACHINE_REPLAY);
}

static void assert_lapses(const struct pep_identity *record, const struct machine_lapse *event, uint32_t expected)
{
	struct pep_identity next = untouched();

	assert_int_equal(machine_lapse(record, event, &next), MACHINE_WRITE);
	assert_int_equal(next.state, expected);
	assert_int_equal(next.lease_until_ms, 0);
	assert_int_equal(strncmp(next.reason, "lease_expired: ", 15), 0);
	assert_same_but_state(&next, record);
}

static void lapse_of_each_state(void **state)
{
	struct machine_lapse native = {.now_ms = NOW};
	struct machine_lapse opaque = {.now_ms = NOW, .opaque = true};
	const uint32_t befores[] = {PEP_FAILED, PEP_IN_DOUBT, PEP_DEPLOYED, PEP_RETIRED};
	struct pep_identity record;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		record = record_claimed_over(befores[i]);
		record.lease_until_ms = NOW;
		assert_lapses(&record, &native, befores[i]);
		assert_lapses(&record, &opaque, befores[i]);
	}
	record = record_in(PEP_CONTACTED);
	record.lease_until_ms = NOW;
	assert_lapses(&record, &native, PEP_FAILED);
	assert_lapses(&record, &opaque, PEP_IN_DOUBT);
	record = record_in(PEP_ISSUED);
	record.lease_until_ms = NOW;
	assert_lapses(&record, &native, PEP_IN_DOUBT);
	assert_lapses(&record, &opaque, PEP_IN_DOUBT);
}

static void lapse_waits_for_the_lease(void **state)
{
	const uint32_t states[] = {PEP_CLAIMED, PEP_CONTACTED, PEP_ISSUED};
	struct machine_lapse event = {.now_ms = NOW};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pep_identity record = record_in(states[i]);
		struct pep_identity next = untouched();

		assert_int_equal(machine_lapse(&record, &event, &next), MACHINE_IN_PROGRESS);
		assert_untouched(&next);
	}
}

static void lapse_of_an_own_earlier_start(void **state)
{
	struct pep_identity record = record_in(PEP_ISSUED);
	struct machine_lapse event = {.now_ms = NOW, .own_name = "server-a/", .own_owner = "server-a/start-2"};
	struct pep_identity next = untouched();

	(void)state;
	assert_lapses(&record, &event, PEP_IN_DOUBT);
	event.own_owner = "server-a/start-1"; /* this very start */
	assert_int_equal(machine_lapse(&record, &event, &next), MACHINE_IN_PROGRESS);
	event.own_owner = "server-a/start-2";
	record.owner = "server-ab/start-1"; /* a name that only begins alike */
	assert_int_equal(machine_lapse(&record, &event, &next), MACHINE_IN_PROGRESS);
	record.owner = NULL;
	assert_int_equal(machine_lapse(&record, &event, &next), MACHINE_IN_PROGRESS);
	assert_untouched(&next);
}

static void lapse_leaves_the_rest_alone(void **state)
{
	const uint32_t states[] = {PEP_DEPLOYED, PEP_FAILED, PEP_IN_DOUBT, PEP_RETIRED};
	struct machine_lapse event = {.now_ms = NOW, .own_name = "server-a/", .own_owner = "server-a/start-2"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct pep_identity record = record_in(states[i]);
		struct pep_identity next = untouched();

		assert_int_equal(machine_lapse(&record, &event, &next), MACHINE_ALREADY);
		assert_untouched(&next);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_request_inserts),
		cmocka_unit_test(grant_for_nothing_is_refused),
		cmocka_unit_test(failed_and_in_doubt_accept),
		cmocka_unit_test(lease_ends_at_its_time),
		cmocka_unit_test(same_key_in_progress_waits),
		cmocka_unit_test(expired_opaque_contact_is_in_doubt),
		cmocka_unit_test(expired_claim_keeps_what_was_before),
		cmocka_unit_test(same_key_and_digest_replays),
		cmocka_unit_test(same_key_other_digest_is_a_mismatch),
		cmocka_unit_test(no_key_never_replays),
		cmocka_unit_test(grant_claims_what_it_names),
		cmocka_unit_test(grant_works_once),
		cmocka_unit_test(expired_claim_does_not_open_a_deployed_identity),
		cmocka_unit_test(lapse_of_each_state),
		cmocka_unit_test(lapse_waits_for_the_lease),
		cmocka_unit_test(lapse_of_an_own_earlier_start),
		cmocka_unit_test(lapse_leaves_the_rest_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
