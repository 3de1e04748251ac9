/* SPDX-License-Identifier: Apache-2.0
 *
 * pattern_test.c - the patterns of orders: those of factories are taken, those that cost too much are not.
 */
#include "core/service/order.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void patterns_of_factories_are_taken(void **state)
{
	static const struct {
		const char *pattern, *match, *other;
	} cases[] = {
		{"GW-[0-9]{6}", "GW-123456", "GW-1234567"},
		{"(GW|HW)-[0-9]{4}-[A-Z]{3}-[0-9]{8}(-[A-Z]+)?", "HW-2027-ABC-12345678-X", "HW-2027-ABC-12345678-"},
		{"([0-9A-F]{2}:){5}[0-9A-F]{2}", "00:11:22:AA:BB:CC", "00:11:22:AA:BB"},
		{"(([0-9]+[.])+[0-9]+)*", "1.2.3", "1..2"},
		{"[A-Z0-9]{1,64}", "A", ""},
		{"[])(*+{-]+", "](*", "a"},
		{"[^](*[:alpha:]{]+x", "12x", "(x"},
		{"a\\{99999\\}", "a{99999}", "a"},
		{"GW|HW", "HW", "GWx"},
		{"(A[0-9]*|B?C)+(|X)(Y|)", "A1CBCA", "A1BC1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *hint = NULL;
		regex_t regex;

		if (!order_compile(cases[i].pattern, &regex, &hint))
			fail_msg("%s: %s", cases[i].pattern, hint);
		if (!order_matches(&regex, cases[i].match) || order_matches(&regex, cases[i].other))
			fail_msg("%s", cases[i].pattern);
		regfree(&regex);
	}
}

static void what_costs_too_much_is_refused(void **state)
{
	static const char *const cases[] = {
		"((a{99}){99}){99}",
		"((a{099}){099}){099}",
		"((a{,99}){0,99}){1,99}",
		"((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)",
		"((((((((((a){1,}){1,}){1,}){1,}){1,}){1,}){1,}){1,}){1,}){1,}",
		"((((a*)*)*)*)((((a*)*)*)*)",
		"((a*)*){300}",
		"(a?){512}",
		"(a|b*|c)+",
		"(a|){3}",
		"(^)*",
		"(a{0}b{,2})*",
		"a****",
		"a{9999999999}",
		"(a?b?c?d?e?f?g?h?){256}",
		"[\\]{9999}",
		"[a[:alpha:]]{9999}",
		"[a]{64}{64}{64}",
		"(a)\\1",
		"a)|(b", /* would fit more than it says */
		"(a",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *hint = NULL;
		regex_t regex;

		if (order_compile(cases[i], &regex, &hint))
			fail_msg("%s", cases[i]);
		assert_non_null(hint);
	}
}

/* On a stack as small as that of the threads which do it. */
static void *compile_dearest(void *context)
{
	const char *hint = NULL;
	regex_t regex;
	bool *good = context;

	*good = order_compile("a{0,1023}", &regex, &hint);
	if (*good)
		(void)order_matches(&regex, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
	if (*good)
		regfree(&regex);
	return NULL;
}

static void the_dearest_needs_little_stack(void **state)
{
	pthread_attr_t attributes;
	pthread_t thread;
	bool good = false;

	(void)state;
	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstacksize(&attributes, (size_t)1024 * 1024), 0);
	assert_int_equal(pthread_create(&thread, &attributes, compile_dearest, &good), 0);
	(void)pthread_join(thread, NULL);
	(void)pthread_attr_destroy(&attributes);
	assert_true(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_of_factories_are_taken),
		cmocka_unit_test(what_costs_too_much_is_refused),
		cmocka_unit_test(the_dearest_needs_little_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
