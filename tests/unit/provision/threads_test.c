/* SPDX-License-Identifier: Apache-2.0
 *
 * threads_test.c - many requests at once, with the recovery thread beside them. Meant for ThreadSanitizer, too.
 */
#include "fixture.h"

#include "core/base/text.h"
#include "core/service/recover.h"

#include <semaphore.h>
#include <string.h>

enum { THREADS = 8, SERIALS = 5, ROUNDS = 20 };

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		;
}

/* --- one serial, two threads, step by step --- */

struct pair {
	struct fixture *fixture;
	sem_t inside, go_on;
	enum provision_outcome outcome;
};

static void hold(void *context)
{
	struct pair *pair = context;

	(void)sem_post(&pair->inside);
	wait_for(&pair->go_on);
}

static void *provision_first(void *context)
{
	struct pair *pair = context;
	struct arena arena = {0};
	struct provision_result result;

	provision_identity(&pair->fixture->provisioner, &arena, &pair->fixture->request, &result);
	pair->outcome = result.outcome;
	arena_fini(&arena);
	return NULL;
}

static void the_second_of_two_is_told_to_wait(void **state)
{
	struct fixture *fixture = *state;
	struct pair pair = {.fixture = fixture};
	struct provision_request elsewhere = fixture_request(SERIAL, 7778);
	struct provision_request other = fixture_request("GW-2", 7777);
	pthread_t thread;

	assert_int_equal(sem_init(&pair.inside, 0, 0), 0);
	assert_int_equal(sem_init(&pair.go_on, 0, 0), 0);
	fixture->injector.steps[2] = (struct injector_step){.verb = INJECTOR_DO, .act = hold};
	fixture->injector.context = &pair;
	assert_int_equal(pthread_create(&thread, NULL, provision_first, &pair), 0);
	wait_for(&pair.inside);
	provision_identity(&fixture->provisioner, &fixture->arena, &fixture->request, &fixture->result);
	assert_int_equal(fixture->result.outcome, PROVISION_IN_PROGRESS);
	provision_identity(&fixture->provisioner, &fixture->arena, &elsewhere, &fixture->result);
	assert_int_equal(fixture->result.outcome, PROVISION_IN_PROGRESS);
	provision_identity(&fixture->provisioner, &fixture->arena, &other, &fixture->result);
	assert_int_equal(fixture->result.outcome, PROVISION_ENDPOINT_BUSY);
	(void)sem_post(&pair.go_on);
	(void)pthread_join(thread, NULL);
	assert_int_equal(pair.outcome, PROVISION_DEPLOYED);
	assert_int_equal(fixture->injector.injections, 1);
	fixture->injector.context = fixture;
	assert_int_equal(fixture_provision(fixture), PROVISION_REPLAYED);
	(void)sem_destroy(&pair.inside);
	(void)sem_destroy(&pair.go_on);
}

/* --- an injector that asks from another thread --- */

static void cancelled_may_be_asked_from_any_thread(void **state)
{
	struct fixture *fixture = *state;

	fixture->injector.is_watched = true;
	assert_int_equal(fixture_provision(fixture), PROVISION_DEPLOYED);
}

/* --- a crowd --- */

struct member {
	struct fixture *fixture;
	pthread_t thread;
	unsigned number;
	unsigned outcomes[PROVISION_NO_MEMORY + 1];
};

static void *provision_all(void *context)
{
	struct member *member = context;

	for (unsigned round = 0; round < ROUNDS; round++) {
		char serial[16];
		unsigned at = (member->number + round) % SERIALS;
		struct arena arena = {0};
		struct provision_request request;
		struct provision_result result;

		(void)snprintf(serial, sizeof(serial), "GW-%u", at);
		request = fixture_request(serial, (uint16_t)(7000 + (member->number % 2 ? at : member->number)));
		request.fields.idempotency_key = serial; /* any text that is not another serial's */
		provision_identity(&member->fixture->provisioner, &arena, &request, &result);
		member->outcomes[result.outcome]++;
		arena_fini(&arena);
	}
	return NULL;
}

static unsigned count_outcome(const struct member *members, enum provision_outcome outcome)
{
	unsigned count = 0;

	for (unsigned i = 0; i < THREADS; i++)
		count += members[i].outcomes[outcome];
	return count;
}

static void check_records(struct fixture *fixture)
{
	assert_int_equal(fixture->store.record_count, SERIALS);
	for (unsigned i = 0; i < SERIALS; i++) {
		const struct pep_identity *record = &fixture->store.records[i];

		assert_int_equal(record->state, PEP_DEPLOYED);
		assert_int_equal(record->attempt, 1);
		for (unsigned j = 0; j < i; j++) {
			assert_false(text_equal(record->enrollment_id, fixture->store.records[j].enrollment_id));
			assert_false(text_equal(record->dispatch_id, fixture->store.records[j].dispatch_id));
		}
	}
}

static void a_crowd_gets_each_serial_once(void **state)
{
	struct fixture *fixture = *state;
	struct member members[THREADS] = {0};
	struct recovery *recovery = NULL;
	struct pep_error err = {0};
	unsigned waited;

	fixture->injector.makes_ids = true;
	fixture->injector.steps[2].verb = INJECTOR_END;
	assert_int_equal(recovery_start(&fixture->provisioner, 1, &recovery, &err), PEP_OK);
	for (unsigned i = 0; i < THREADS; i++) {
		members[i].fixture = fixture;
		members[i].number = i;
		assert_int_equal(pthread_create(&members[i].thread, NULL, provision_all, &members[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(members[i].thread, NULL);
	recovery_stop(recovery);
	waited = count_outcome(members, PROVISION_IN_PROGRESS) + count_outcome(members, PROVISION_ENDPOINT_BUSY);
	assert_int_equal(count_outcome(members, PROVISION_DEPLOYED), SERIALS);
	assert_int_equal(count_outcome(members, PROVISION_REPLAYED) + waited, THREADS * ROUNDS - SERIALS);
	assert_int_equal(fixture->injector.injections, SERIALS);
	assert_null(fixture->provisioner.endpoints.first);
	check_records(fixture);
}

/* Storage loses answers all the while: what is delivered is in the record or in the spool. */
static void a_crowd_on_a_bad_store(void **state)
{
	struct fixture *fixture = *state;
	struct member members[THREADS] = {0};
	struct recovery *recovery = NULL;
	struct pep_error err = {0};

	fixture->injector.makes_ids = true;
	fixture->injector.steps[2].verb = INJECTOR_END;
	for (unsigned i = 0; i < 12; i++)
		fake_store_script(&fixture->store, STORE_UPDATE, 2 * i + 1, i % 2 ? STORE_UNKNOWN_NEVER : STORE_UNKNOWN_NOW);
	assert_int_equal(recovery_start(&fixture->provisioner, 1, &recovery, &err), PEP_OK);
	for (unsigned i = 0; i < THREADS; i++) {
		members[i].fixture = fixture;
		members[i].number = i;
		assert_int_equal(pthread_create(&members[i].thread, NULL, provision_all, &members[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(members[i].thread, NULL);
	recovery_stop(recovery);
	fake_store_heal(&fixture->store);
	fixture->store.now_ms += FIXTURE_LEASE_MS;
	assert_int_equal(recover_at_start(&fixture->provisioner, "line-1/20270101", &err), PEP_OK);
	assert_int_equal(spool_count(fixture->provisioner.spool), 0);
	assert_true(count_outcome(members, PROVISION_DEPLOYED) <= fixture->injector.delivered);
	for (size_t i = 0; i < fixture->store.record_count; i++) {
		struct provision_request request = fixture_request(fixture->store.records[i].serial, 7777);

		request.fields.idempotency_key = request.fields.serial;
		assert_int_equal(fixture->store.records[i].lease_until_ms, 0);
		provision_identity(&fixture->provisioner, &fixture->arena, &request, &fixture->result);
		assert_true(fixture->result.outcome == PROVISION_DEPLOYED || fixture->result.outcome == PROVISION_REPLAYED);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_second_of_two_is_told_to_wait),
		TEST(cancelled_may_be_asked_from_any_thread),
		TEST(a_crowd_gets_each_serial_once),
		TEST(a_crowd_on_a_bad_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
