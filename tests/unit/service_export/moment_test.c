/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void moments_are_read(void **state)
{
	/* computed by GNU date */
	static const struct {
		const char *text;
		int64_t ms;
	} moments[] = {
		{"0", 0},
		{"1804055400123", 1804055400123},
		{"253402300799999", 253402300799999},
		{"1970-01-01", 0},
		{"2027-03-01", 1803859200000},
		{"2024-02-29", 1709164800000},
		{"2000-02-29", 951782400000},
		{"2100-03-01", 4107542400000},
		{"2024-12-31", 1735603200000},
		{"2027-03-01T06:30:00Z", 1803882600000},
		{"2027-03-01t06:30:00z", 1803882600000},
		{"2027-03-01 06:30:00Z", 1803882600000},
		{"2027-03-01T06:30:00+02:00", 1803875400000},
		{"2027-03-01T06:30:00 02:00", 1803875400000},
		{"2027-03-01T06:30:00-09:30", 1803916800000},
		{"2027-03-01T06:30:00.5Z", 1803882600500},
		{"2027-03-01T06:30:00.1239999999Z", 1803882600123},
		{"2016-12-31T23:59:60Z", 1483228800000},
		{"9999-12-31T23:59:59.999Z", 253402300799999},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		int64_t ms = -1;

		if (!moment_parse(moments[i].text, &ms) || ms != moments[i].ms)
			fail_msg("%s: %lld", moments[i].text, (long long)ms);
	}
}

static void others_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"-1",
		"+1",
		"1.5",
		"01",
		"253402300800000",
		"99999999999999999999",
		"yesterday",
		"2027-3-1",
		"2027-00-01",
		"2027-13-01",
		"2027-02-29",
		"2100-02-29",
		"2027-04-31",
		"2027-01-00",
		"1969-12-31",
		"2027-03-01T",
		"2027-03-01T06:30Z",
		"2027-03-01T06:30:00",
		"2027-03-01T24:00:00Z",
		"2027-03-01T06:60:00Z",
		"2027-03-01T06:30:61Z",
		"2027-03-01T06:30:00.Z",
		"2027-03-01T06:30:00+2:00",
		"2027-03-01T06:30:00+02",
		"2027-03-01T06:30:00+24:00",
		"2027-03-01T06:30:00Zx",
		"2027-03-01x",
		"1970-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"10000-01-01",
	};
	int64_t ms = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (moment_parse(texts[i], &ms))
			fail_msg("%s is read as %lld", texts[i], (long long)ms);
}

/* Every day of a whole cycle of the calendar (400 years) is one day after the one before it. */
static void days_follow_each_other(void **state)
{
	static const int days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t expected_ms = 0;

	(void)state;
	for (int year = 1970; year <= 2370; year++) {
		int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

		for (int month = 1; month <= 12; month++) {
			int count = days_of[month - 1] + (month == 2 ? leap : 0);

			for (int day = 1; day <= count; day++, expected_ms += 86400000) {
				char text[32];
				int64_t ms = -1;

				(void)snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, day);
				if (!moment_parse(text, &ms) || ms != expected_ms)
					fail_msg("%s: %lld", text, (long long)ms);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_are_read),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(days_follow_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
