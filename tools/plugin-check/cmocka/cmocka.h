/* SPDX-License-Identifier: Apache-2.0
 *
 * cmocka.h - the part of cmocka's interface that the storage and injector suites use, on our own runner.
 *
 * Those suites are programs of ours with cmocka, where they come with a page of facts; here the same sources serve any plugin, and
 * nobody needs cmocka to run them.
 */
#ifndef PLUGIN_CHECK_CMOCKA_H
#define PLUGIN_CHECK_CMOCKA_H

#include "tests/conformance/runner.h"

#include <stdint.h>
#include <string.h>

typedef void cmocka_function(void **state);
typedef int cmocka_fixture(void **state);
struct CMUnitTest {
	const char *name;
	cmocka_function *test_func;
	cmocka_fixture *setup_func, *teardown_func;
	void *initial_state;
};
#define cmocka_unit_test_prestate_setup_teardown(function, setup, teardown, state) \
	{                                                                          \
#function, function, setup, teardown, state                        \
	}

/* Returns how many cases failed; what was counted is added up in cmocka_counts(). */
int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count, cmocka_fixture *setup,
			    cmocka_fixture *teardown);
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
	_cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
struct suite_result *cmocka_counts(void);
/* The pattern of suite_run(). */
void cmocka_only(const char *pattern);

void cmocka_check(bool holds, const char *file, int line, const char *what);
void cmocka_check_number(bool equal_wanted, intmax_t a, intmax_t b, const char *file, int line, const char *what);
void cmocka_check_range(uintmax_t value, uintmax_t min, uintmax_t max, const char *file, int line, const char *what);
void cmocka_check_text(bool equal_wanted, const char *a, const char *b, const char *file, int line, const char *what);

#define CMOCKA_WHERE(what) __FILE__, __LINE__, what
#define assert_true(value) cmocka_check(!!(value), CMOCKA_WHERE(#value))
#define assert_false(value) cmocka_check(!(value), CMOCKA_WHERE("not " #value))
#define assert_non_null(value) cmocka_check((value) != NULL, CMOCKA_WHERE(#value " is not NULL"))
#define assert_null(value) cmocka_check((value) == NULL, CMOCKA_WHERE(#value " is NULL"))
#define assert_ptr_equal(a, b) cmocka_check((a) == (b), CMOCKA_WHERE(#a " is " #b))
#define assert_int_equal(a, b) cmocka_check_number(true, (intmax_t)(a), (intmax_t)(b), CMOCKA_WHERE(#a " is " #b))
#define assert_int_not_equal(a, b) cmocka_check_number(false, (intmax_t)(a), (intmax_t)(b), CMOCKA_WHERE(#a " is not " #b))
#define assert_string_equal(a, b) cmocka_check_text(true, a, b, CMOCKA_WHERE(#a " is " #b))
#define assert_string_not_equal(a, b) cmocka_check_text(false, a, b, CMOCKA_WHERE(#a " is not " #b))
#define assert_memory_equal(a, b, size) cmocka_check(memcmp(a, b, size) == 0, CMOCKA_WHERE(#a " holds " #b))
#define assert_in_range(value, min, max) \
	cmocka_check_range((uintmax_t)(value), (uintmax_t)(min), (uintmax_t)(max), CMOCKA_WHERE(#value " is in " #min " to " #max))
#define fail_msg(...) suite_fail(__VA_ARGS__)
#define skip() suite_skip("it does not apply to this plugin")
#define print_error(...) (void)fprintf(stderr, __VA_ARGS__)

#endif
