/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

static void switches_are_two_words(void **state)
{
	static const char *const bad[] = {"yes", "no", "True", "TRUE", "1", "0", "on", "", "true ", "~"};
	bool flag = false;

	(void)state;
	assert_true(value_bool("true", &flag));
	assert_true(flag);
	assert_true(value_bool("false", &flag));
	assert_false(flag);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(value_bool(bad[i], &flag));
}

static void numbers_are_decimal(void **state)
{
	static const char *const bad[] = {"",   "-", "+1", "01", "-0", "0x10", "1.5", "1e3", " 1", "1 ", "99999999999999999999",
					  "--1"};
	int64_t number;

	(void)state;
	assert_true(value_int("0", &number) && number == 0);
	assert_true(value_int("5151", &number) && number == 5151);
	assert_true(value_int("-17", &number) && number == -17);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (value_int(bad[i], &number))
			fail_msg("\"%s\" was taken for a number", bad[i]);
}

static void spans_need_their_unit(void **state)
{
	static const char *const bad[] = {
		"",    "5", "s", "5 s", "5sec", "1.5s", "-5s", "05s", "5S", "5d", "9223372036854775807h", "99999999999999999999s",
		"0x5s"};
	int64_t ms;

	(void)state;
	assert_true(value_span("500ms", &ms) && ms == 500);
	assert_true(value_span("30s", &ms) && ms == 30000);
	assert_true(value_span("2m", &ms) && ms == 120000);
	assert_true(value_span("1h", &ms) && ms == 3600000);
	assert_true(value_span("0s", &ms) && ms == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (value_span(bad[i], &ms))
			fail_msg("\"%s\" was taken for a time span", bad[i]);
}

static void spans_are_written_as_people_do(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{0, "0s"}, {1, "1ms"}, {1500, "1500ms"}, {1000, "1s"}, {90000, "90s"}, {120000, "2m"}, {7200000, "2h"}};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		value_span_write(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
	}
	value_number_write(60000, true, text);
	assert_string_equal(text, "1m");
	value_number_write(-60000, false, text);
	assert_string_equal(text, "-60000");
}

static void names_are_short_and_plain(void **state)
{
	static const char *const bad[] = {"", "A", "a.b", "a/b", "..", "a b", "\xc3\xa4", "abcdefghijklmnopqrstuvwxyz1234567"};

	(void)state;
	assert_true(value_is_name("sqlite"));
	assert_true(value_is_name("_my-plugin2"));
	assert_true(value_is_name("abcdefghijklmnopqrstuvwxyz123456"));
	assert_false(value_is_name(NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(value_is_name(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switches_are_two_words),    cmocka_unit_test(numbers_are_decimal),
		cmocka_unit_test(spans_need_their_unit),     cmocka_unit_test(spans_are_written_as_people_do),
		cmocka_unit_test(names_are_short_and_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
