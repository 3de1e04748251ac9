/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/instance.h"
#include "loader_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>

/* A plugin whose answers the test sets. */
static struct fake {
	pep_status status, self_test;
	uint32_t outcome;
	int opened, closed, calls, forgotten;
	int64_t timeout_ms;
	bool is_held; /* inject() waits for `go`, after it said `entered` */
	sem_t entered, go;
} fake;
static struct pep_error err;
static const struct pep_identity id = {.struct_size = sizeof(id), .serial = "S"};

static pep_status fake_open(const struct pep_host *host, const union pep_value *values, void **ret_injector,
			    struct pep_error *ret_err)
{
	(void)host;
	(void)values;
	(void)ret_err;
	fake.opened++;
	*ret_injector = &fake;
	return PEP_OK;
}

static void fake_close(void *injector)
{
	assert_ptr_equal(injector, &fake);
	fake.closed++;
}

static pep_status fake_self_test(void *injector, struct pep_error *ret_err)
{
	(void)injector;
	return fake.self_test == PEP_OK ? PEP_OK : pep_fail(ret_err, fake.self_test, 0, "no key");
}

static pep_status fake_adopt(void *injector, const struct pep_identity *which, int64_t timeout_ms, struct pep_injection *ret,
			     struct pep_error *ret_err)
{
	(void)injector;
	(void)which;
	(void)ret_err;
	fake.calls++;
	fake.timeout_ms = timeout_ms;
	ret->outcome = fake.outcome;
	memset(ret->detail, 'x', sizeof(ret->detail)); /* without its end */
	return fake.status;
}

static pep_status fake_inject(void *injector, const struct pep_target *target, const struct pep_identity *which, int64_t timeout_ms,
			      struct pep_witness *witness, struct pep_injection *ret, struct pep_error *ret_err)
{
	(void)target;
	(void)witness;
	assert_int_equal(ret->outcome, 0);
	if (fake.is_held) {
		assert_int_equal(sem_post(&fake.entered), 0);
		assert_int_equal(sem_wait(&fake.go), 0);
	}
	return fake_adopt(injector, which, timeout_ms, ret, ret_err);
}

static void fake_forget(void *injector, const struct pep_identity *which)
{
	(void)injector;
	assert_ptr_equal(which, &id);
	fake.forgotten++;
}

static struct injector *open_fake(uint32_t threads, uint64_t flags)
{
	static const struct instance_context context = {.plugin_dir = "/p", .data_dir = "/d"};
	static const struct config_instance config = {.name = "fake", .plugin = "fake", .place = {"c.yaml", 3, 5}};
	struct injector *injector = NULL;

	stub_library.ops.injector = (struct pep_injector_ops){
		.struct_size = sizeof(struct pep_injector_ops),
		.threads = threads,
		.flags = flags,
		.open = fake_open,
		.close = fake_close,
		.self_test = fake_self_test,
		.inject = fake_inject,
	};
	err = (struct pep_error){0};
	if (injector_open(&context, &config, &injector, &err) != PEP_OK)
		assert_null(injector);
	return injector;
}

static void opening_tests_it(void **state)
{
	struct injector *injector;

	(void)state;
	fake.self_test = PEP_UNAVAILABLE;
	assert_null(open_fake(PEP_THREADS_SERIAL, 0));
	assert_string_equal(err.message, "no key");
	assert_int_equal(fake.opened, 1);
	assert_int_equal(fake.closed, 1);
	fake.self_test = PEP_OK;
	injector = open_fake(PEP_THREADS_SERIAL, PEP_INJECTOR_OPAQUE);
	assert_non_null(injector);
	assert_true(injector_is_opaque(injector));
	assert_string_equal(injector_name(injector), "fake");
	injector_close(injector);
	injector_close(NULL);
	injector = open_fake(PEP_THREADS_PARALLEL, 0);
	assert_false(injector_is_opaque(injector));
	injector_close(injector);
}

static void what_is_not_said_is_in_doubt(void **state)
{
	static const struct {
		pep_status said;
		uint32_t outcome;
		pep_status expected;
		uint32_t expected_outcome;
	} cases[] = {
		{PEP_OK, PEP_DELIVERED, PEP_OK, PEP_DELIVERED},
		{PEP_OK, 0, PEP_INTERNAL, PEP_DOUBTFUL},
		{PEP_OK, PEP_REFUSED, PEP_INTERNAL, PEP_REFUSED},
		{PEP_CONFLICT, PEP_REFUSED, PEP_CONFLICT, PEP_REFUSED},
		{PEP_TIMEOUT, PEP_DELIVERED, PEP_TIMEOUT, PEP_DELIVERED}, /* a fact stays one */
		{PEP_TIMEOUT, 0, PEP_TIMEOUT, PEP_DOUBTFUL},
		{PEP_TIMEOUT, 77, PEP_TIMEOUT, PEP_DOUBTFUL},
		{PEP_NOT_FOUND, 0, PEP_NOT_FOUND, PEP_DOUBTFUL}, /* "never started" is what adopt() says; here it may mean a file */
		{PEP_UNAVAILABLE, PEP_NOT_SENT, PEP_UNAVAILABLE, PEP_NOT_SENT},
		{1234, PEP_NOT_SENT, PEP_INTERNAL, PEP_NOT_SENT},
	};
	struct injector *injector = open_fake(PEP_THREADS_PARALLEL, 0);
	const struct pep_target target = {.struct_size = sizeof(target)};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pep_injection injection;

		memset(&injection, 0xff, sizeof(injection));
		fake.status = cases[i].said;
		fake.outcome = cases[i].outcome;
		assert_int_equal(injector_inject(injector, &target, &id, 1000, NULL, &injection, &err), cases[i].expected);
		assert_int_equal(injection.outcome, cases[i].expected_outcome);
		assert_int_equal(strlen(injection.detail), sizeof(injection.detail) - 1);
		assert_string_equal(injection.enrollment_id, "");
	}
	injector_close(injector);
}

static void missing_functions_are_unsupported(void **state)
{
	struct injector *injector = open_fake(PEP_THREADS_SERIAL, 0);
	struct pep_injection injection;

	(void)state;
	assert_int_equal(injector_adopt(injector, &id, 1000, &injection, &err), PEP_UNSUPPORTED);
	assert_string_equal(err.message, "plugin \"fake\" has no adopt()");
	assert_int_equal(injection.outcome, PEP_DOUBTFUL);
	injector_forget(injector, &id);
	assert_int_equal(fake.forgotten, 0);
	stub_library.ops.injector.adopt = fake_adopt;
	stub_library.ops.injector.forget = fake_forget;
	fake.status = PEP_NOT_FOUND;
	assert_int_equal(injector_adopt(injector, &id, 1000, &injection, &err), PEP_NOT_FOUND);
	assert_int_equal(injection.outcome, PEP_NOT_SENT); /* never started */
	injector_forget(injector, &id);
	assert_int_equal(fake.forgotten, 1);
	injector_close(injector);
}

static void *inject_held(void *argument)
{
	const struct pep_target target = {.struct_size = sizeof(target)};
	struct pep_injection injection;

	assert_int_equal(injector_inject(argument, &target, &id, 60000, NULL, &injection, NULL), PEP_OK);
	return NULL;
}

/* While one injection runs, the next of a SERIAL plugin waits no longer than its own time limit, and has then touched nothing. */
static void waiting_counts_against_the_limit(void **state)
{
	struct injector *injector = open_fake(PEP_THREADS_SERIAL, 0);
	const struct pep_target target = {.struct_size = sizeof(target)};
	struct pep_injection injection;
	pthread_t thread;

	(void)state;
	fake.outcome = PEP_DELIVERED;
	fake.is_held = true;
	assert_int_equal(pthread_create(&thread, NULL, inject_held, injector), 0);
	assert_int_equal(sem_wait(&fake.entered), 0);
	assert_int_equal(injector_inject(injector, &target, &id, 20, NULL, &injection, &err), PEP_TIMEOUT);
	assert_int_equal(injection.outcome, PEP_NOT_SENT);
	assert_non_null(strstr(err.message, "one injection at a time"));
	assert_int_equal(sem_post(&fake.go), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(fake.calls, 1);
	assert_true(fake.timeout_ms <= 60000 && fake.timeout_ms > 50000);
	injector_close(injector);
}

static void *inject_often(void *argument)
{
	const struct pep_target target = {.struct_size = sizeof(target)};
	struct pep_injection injection;

	for (int i = 0; i < 500; i++) {
		assert_int_equal(injector_inject(argument, &target, &id, 60000, NULL, &injection, NULL), PEP_OK);
		injector_forget(argument, &id);
	}
	return NULL;
}

/* fake.calls and fake.forgotten are plain numbers: two calls at once would lose one, and the thread sanitizer would say so. */
static void a_serial_plugin_gets_one_call_at_a_time(void **state)
{
	struct injector *injector = open_fake(PEP_THREADS_SERIAL, 0);
	pthread_t threads[4];

	(void)state;
	stub_library.ops.injector.forget = fake_forget;
	fake.outcome = PEP_DELIVERED;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, inject_often, injector), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(fake.calls, 2000);
	assert_int_equal(fake.forgotten, 2000);
	injector_close(injector);
}

static int begin(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	stub_library = (struct library){0};
	return sem_init(&fake.entered, 0, 0) || sem_init(&fake.go, 0, 0);
}

static int end(void **state)
{
	(void)state;
	return sem_destroy(&fake.entered) || sem_destroy(&fake.go) || stub_options_open;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opening_tests_it, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_said_is_in_doubt, begin, end),
		cmocka_unit_test_setup_teardown(missing_functions_are_unsupported, begin, end),
		cmocka_unit_test_setup_teardown(a_serial_plugin_gets_one_call_at_a_time, begin, end),
		cmocka_unit_test_setup_teardown(waiting_counts_against_the_limit, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
