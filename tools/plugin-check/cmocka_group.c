/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka/cmocka.h"

/* State at file scope: the suites call us through an interface that has none to hand over. */
static struct suite_result counts;
static const char *only_pattern;

struct suite_result *cmocka_counts(void)
{
	return &counts;
}

void cmocka_only(const char *pattern)
{
	only_pattern = pattern;
}

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

void cmocka_check(bool holds, const char *file, int line, const char *what)
{
	suite_expect(holds, "%s:%d: it does not hold: %s", base_name(file), line, what);
}

void cmocka_check_number(bool equal_wanted, intmax_t a, intmax_t b, const char *file, int line, const char *what)
{
	suite_expect((a == b) == equal_wanted, "%s:%d: %jd and %jd: it does not hold: %s", base_name(file), line, a, b, what);
}

void cmocka_check_range(uintmax_t value, uintmax_t min, uintmax_t max, const char *file, int line, const char *what)
{
	suite_expect(value >= min && value <= max, "%s:%d: %ju: it does not hold: %s", base_name(file), line, value, what);
}

void cmocka_check_text(bool equal_wanted, const char *a, const char *b, const char *file, int line, const char *what)
{
	suite_expect(a && b && (strcmp(a, b) == 0) == equal_wanted, "%s:%d: \"%s\" and \"%s\": it does not hold: %s",
		     base_name(file), line, a ? a : "(NULL)", b ? b : "(NULL)", what);
}

static void run_one(void *ctx)
{
	const struct CMUnitTest *test = ctx;
	void *state = test->initial_state;

	if (test->setup_func)
		suite_expect(test->setup_func(&state) == 0, "it could not be set up");
	test->test_func(&state);
	if (test->teardown_func)
		suite_expect(test->teardown_func(&state) == 0, "it could not be torn down");
}

/* The names of these cases are sentences. */
int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count, cmocka_fixture *setup,
			    cmocka_fixture *teardown)
{
	unsigned failed_before = counts.failed;

	(void)name;
	(void)setup;
	(void)teardown;
	for (size_t i = 0; i < count; i++) {
		const struct suite_case cases[] = {{tests[i].name, tests[i].name, run_one}, {NULL, NULL, NULL}};
		void *test = (void *)&tests[i]; /* a case's ctx is not const */

		suite_run("", cases, test, only_pattern, &counts);
	}
	return (int)(counts.failed - failed_before);
}
