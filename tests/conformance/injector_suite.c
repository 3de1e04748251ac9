/* SPDX-License-Identifier: Apache-2.0 */
#include "injector_suite.h"

#include "injector_driver.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THREAD_COUNT 64u
#define LONG_MS 10000 /* what a slow gateway needs at least */

static const pep_status refusals[] = {PEP_CONFLICT, PEP_UNAVAILABLE, PEP_TIMEOUT, PEP_CANCELLED, PEP_INTERNAL, PEP_UNKNOWN};
#define REFUSAL_COUNT (sizeof(refusals) / sizeof(refusals[0]))

/* Every test asks for gateways of its own. */
static const char *name_gateway(char name[64], const char *kind, const char *test, size_t number)
{
	(void)snprintf(name, 64, "%s-%s-%zu", kind, test, number);
	return name;
}

static bool is_opaque(const struct injector_driver *driver)
{
	return driver->ops->flags & PEP_INJECTOR_OPAQUE;
}

static void check_identity(const char *text)
{
	assert_int_equal(strlen(text), 97);
	assert_memory_equal(text, "A-", 2);
	for (size_t i = 2; i < 97; i += 3) {
		assert_non_null(strchr("0123456789ABCDEF", text[i]));
		assert_non_null(strchr("0123456789ABCDEF", text[i + 1]));
		assert_int_equal(text[i + 2], i + 2 == 97 ? '\0' : ':');
	}
}

/* What holds for every end. */
static void check_attempt(const struct injector_driver *driver, const char *serial, const struct injector_attempt *attempt)
{
	const struct pep_injection *result = &attempt->result;
	struct injector_view view = {0};

	assert_in_range(result->outcome, PEP_DELIVERED, PEP_DOUBTFUL);
	assert_int_equal(attempt->status == PEP_OK, result->outcome == PEP_DELIVERED);
	assert_true(attempt->in_order);
	assert_non_null(memchr(result->detail, '\0', sizeof(result->detail)));
	assert_non_null(memchr(result->enrollment_id, '\0', sizeof(result->enrollment_id)));
	assert_null(strpbrk(result->detail, "\r\n"));
	if (attempt->status != PEP_OK) {
		assert_int_equal(attempt->err.status, attempt->status);
		assert_true(*attempt->err.message);
		assert_null(strpbrk(attempt->err.message, "\r\n"));
	}
	if (result->outcome == PEP_DELIVERED) {
		assert_true(attempt->contacted || attempt->issued);
		assert_int_equal(attempt->issued, is_opaque(driver) ? 0 : 1);
		check_identity(result->enrollment_id);
	}
	if (attempt->issued && (result->outcome == PEP_DELIVERED || result->outcome == PEP_DOUBTFUL))
		assert_string_equal(result->enrollment_id, attempt->issued_id);
	if (!driver->facts->look)
		return;
	driver->facts->look(serial, &view);
	if (result->outcome == PEP_DELIVERED)
		assert_string_equal(view.enrollment_id, result->enrollment_id);
	else if (result->outcome != PEP_DOUBTFUL)
		assert_string_equal(view.enrollment_id, "");
	if (!attempt->contacted && !attempt->issued)
		assert_false(view.touched);
}

static void run(struct injector_driver *driver, const char *serial, struct injector_attempt *attempt)
{
	injector_driver_run(driver, serial, attempt);
	check_attempt(driver, serial, attempt);
}

static void table_is_complete(void **state)
{
	const struct injector_driver *driver = *state;

	assert_true(driver->ops->struct_size >= sizeof(*driver->ops));
	assert_in_range(driver->ops->threads, PEP_THREADS_SERIAL, PEP_THREADS_PARALLEL);
	assert_int_equal(driver->ops->flags & ~(uint64_t)PEP_INJECTOR_OPAQUE, 0);
	assert_non_null(driver->ops->close);
	assert_true(!driver->ops->adopt == !driver->ops->forget);
}

static void outcomes(void **state)
{
	struct injector_driver *driver = *state;

	for (size_t i = 0; i < driver->facts->case_count; i++) {
		const struct injector_case *expected = &driver->facts->cases[i];
		struct injector_attempt attempt = {0};
		char name[64];

		run(driver, name_gateway(name, expected->serial, "OUTCOME", i), &attempt);
		assert_int_equal(attempt.result.outcome, expected->outcome);
		assert_int_equal(attempt.status, expected->status);
		assert_int_equal(attempt.contacted, expected->contacted);
		assert_int_equal(attempt.issued, expected->issued);
		if (expected->issued)
			check_identity(attempt.result.enrollment_id);
	}
}

/* The gateway is as it was. With the certificate ready before the connection, the first moment is issued(). */
static void refused_at_the_first_moment(void **state)
{
	struct injector_driver *driver = *state;
	bool is_contacted = driver->facts->cases[0].contacted;

	for (size_t i = 0; i < REFUSAL_COUNT; i++) {
		struct injector_attempt attempt = {.refuse_contacted = is_contacted ? refusals[i] : PEP_OK,
						   .refuse_issued = is_contacted ? PEP_OK : refusals[i]};
		struct injector_view view = {0};
		char name[64];

		run(driver, name_gateway(name, driver->facts->cases[0].serial, "FIRST", i), &attempt);
		assert_int_equal(attempt.status, refusals[i]);
		assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
		assert_string_equal(attempt.err.message, "the witness says no");
		assert_int_equal(attempt.contacted, is_contacted);
		assert_int_equal(attempt.issued, !is_contacted);
		if (driver->facts->look)
			driver->facts->look(name, &view);
		assert_false(view.touched);
	}
}

/* Nothing was sent that could take effect. An opaque injector does not ask: what would be said to issued() changes nothing. */
static void refused_at_the_last_moment(void **state)
{
	struct injector_driver *driver = *state;

	for (size_t i = 0; i < REFUSAL_COUNT; i++) {
		struct injector_attempt attempt = {.refuse_issued = refusals[i]};
		char name[64];

		run(driver, name_gateway(name, driver->facts->cases[0].serial, "LAST", i), &attempt);
		assert_int_equal(attempt.issued, !is_opaque(driver));
		assert_int_equal(attempt.status, is_opaque(driver) ? PEP_OK : refusals[i]);
		if (is_opaque(driver))
			continue;
		assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
		assert_string_equal(attempt.err.message, "the witness says no");
	}
}

/* Cancelled from the first, second ... question on, until one comes too late to be asked. */
static void cancelled_at_each_question(void **state)
{
	struct injector_driver *driver = *state;
	unsigned at = 0;
	bool delivered = false;

	while (!delivered) {
		struct injector_attempt attempt = {.cancel_at = ++at};
		struct injector_view view = {0};
		char name[64];

		run(driver, name_gateway(name, driver->facts->cases[0].serial, "CANCEL", at), &attempt);
		delivered = attempt.status == PEP_OK;
		if (delivered)
			break;
		assert_int_equal(attempt.status, PEP_CANCELLED);
		if (is_opaque(driver))
			continue;
		assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
		if (driver->facts->look)
			driver->facts->look(name, &view);
		if (at == 1)
			assert_false(view.touched);
	}
	assert_true(at > (is_opaque(driver) ? 1 : 2)); /* asked before the first and before the last byte */
}

static void cancel_ends_a_wait(void **state)
{
	struct injector_driver *driver = *state;
	struct injector_attempt attempt = {.cancel_at = 6};
	char name[64];

	if (!driver->facts->slow_serial)
		skip();
	run(driver, name_gateway(name, driver->facts->slow_serial, "WAIT", 0), &attempt);
	assert_int_equal(attempt.status, PEP_CANCELLED);
	assert_in_range(attempt.took_ms, 0, LONG_MS - 1);
}

static void time_limit_ends_a_wait(void **state)
{
	struct injector_driver *driver = *state;
	struct injector_attempt attempt = {.timeout_ms = 60};
	char name[64];

	if (!driver->facts->slow_serial)
		skip();
	run(driver, name_gateway(name, driver->facts->slow_serial, "LIMIT", 0), &attempt);
	assert_int_equal(attempt.status, PEP_TIMEOUT);
	assert_in_range(attempt.took_ms, 59, LONG_MS - 1);
}

static void attempts_have_their_own(void **state)
{
	struct injector_driver *driver = *state;
	struct injector_attempt first = {.number = 1};
	struct injector_attempt second = {.number = 2};
	char name[64];

	name_gateway(name, driver->facts->cases[0].serial, "AGAIN", 0);
	run(driver, name, &first);
	run(driver, name, &second);
	assert_string_not_equal(first.result.enrollment_id, second.result.enrollment_id);
}

static void two_instances(void **state)
{
	struct injector_driver *one = *state;
	struct injector_driver two;
	struct injector_attempt attempts[3] = {0};
	char name[64];

	injector_driver_open(&two, one->facts);
	name_gateway(name, one->facts->cases[0].serial, "TWO", 0);
	run(one, name, &attempts[0]);
	run(&two, name, &attempts[1]);
	injector_driver_close(&two);
	run(one, name, &attempts[2]);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(attempts[i].status, PEP_OK);
	for (size_t i = 1; i < 3 && one->facts->foretold; i++)
		assert_string_equal(attempts[i].result.enrollment_id, attempts[0].result.enrollment_id);
}

struct worker {
	pthread_t thread;
	struct injector_driver *driver;
	char name[64];
	struct injector_attempt attempt;
};

static void *inject_in_thread(void *data)
{
	struct worker *worker = data;

	injector_driver_run(worker->driver, worker->name, &worker->attempt);
	return NULL;
}

/* All kinds of gateways at once. */
static void many_threads(void **state)
{
	struct injector_driver *driver = *state;
	struct worker *workers = calloc(THREAD_COUNT, sizeof(*workers));

	assert_non_null(workers);
	for (size_t i = 0; i < THREAD_COUNT; i++) {
		const struct injector_case *kind = &driver->facts->cases[i % 2 ? 0 : i / 2 % driver->facts->case_count];

		workers[i].driver = driver;
		name_gateway(workers[i].name, kind->serial, "MANY", i);
		assert_int_equal(pthread_create(&workers[i].thread, NULL, inject_in_thread, &workers[i]), 0);
	}
	for (size_t i = 0; i < THREAD_COUNT; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	for (size_t i = 0; i < THREAD_COUNT; i++) {
		const struct injector_case *kind = &driver->facts->cases[i % 2 ? 0 : i / 2 % driver->facts->case_count];

		check_attempt(driver, workers[i].name, &workers[i].attempt);
		assert_int_equal(workers[i].attempt.result.outcome, kind->outcome);
		for (size_t j = 0; j < i && kind->outcome == PEP_DELIVERED; j++)
			assert_string_not_equal(workers[i].attempt.result.enrollment_id, workers[j].attempt.result.enrollment_id);
	}
	free(workers);
}

static int open_driver(void **state)
{
	struct injector_driver *driver = malloc(sizeof(*driver));

	if (!driver)
		return -1;
	injector_driver_open(driver, *state);
	*state = driver;
	return 0;
}

static int close_driver(void **state)
{
	injector_driver_close(*state);
	free(*state);
	return 0;
}

#define SUITE_TEST(function) cmocka_unit_test_prestate_setup_teardown(function, open_driver, close_driver, state)

int injector_suite_run(const struct injector_facts *facts)
{
	void *state = (void *)facts; /* cmocka's state is not const */
	const struct CMUnitTest tests[] = {
		SUITE_TEST(table_is_complete),
		SUITE_TEST(outcomes),
		SUITE_TEST(refused_at_the_first_moment),
		SUITE_TEST(refused_at_the_last_moment),
		SUITE_TEST(cancelled_at_each_question),
		SUITE_TEST(cancel_ends_a_wait),
		SUITE_TEST(time_limit_ends_a_wait),
		SUITE_TEST(attempts_have_their_own),
		SUITE_TEST(two_instances),
		SUITE_TEST(many_threads),
	};

	return cmocka_run_group_tests_name(facts->file, tests, NULL, NULL);
}
