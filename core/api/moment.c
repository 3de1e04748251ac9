/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/moment.h"

#include "core/base/text.h"

#include <stddef.h>
#include <string.h>

#define LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */
#define MINUTE_MS INT64_C(60000)
#define DAY_MS INT64_C(86400000)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly `count` digits at *text, which then stands behind them. */
static bool read_digits(const char **text, int count, int min, int max, int *ret_number)
{
	int number = 0;

	for (; count > 0; count--, (*text)++) {
		if (!is_digit(**text))
			return false;
		number = number * 10 + (**text - '0');
	}
	*ret_number = number;
	return number >= min && number <= max;
}

static bool skip(const char **text, const char *any_of)
{
	if (!**text || !strchr(any_of, **text))
		return false;
	(*text)++;
	return true;
}

static int64_t leap_days_before(int year)
{
	int64_t last = year - 1;

	return last / 4 - last / 100 + last / 400;
}

static bool read_date(const char **text, int64_t *ret_ms)
{
	static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	bool leap;
	int year;
	int month;
	int day;

	if (!read_digits(text, 4, 1970, 9999, &year) || !skip(text, "-") || !read_digits(text, 2, 1, 12, &month) ||
	    !skip(text, "-") || !read_digits(text, 2, 1, 31, &day))
		return false;
	leap = leap_days_before(year + 1) > leap_days_before(year);
	if (day > days_before[month] - days_before[month - 1] + (month == 2 && leap))
		return false;
	day += days_before[month - 1] + (month > 2 && leap) - 1;
	*ret_ms = DAY_MS * ((year - 1970) * INT64_C(365) + leap_days_before(year) - leap_days_before(1970) + day);
	return true;
}

/* "06:30:00.25"; second 60 is a leap second and counts as the next one. */
static bool read_time(const char **text, int64_t *ret_ms)
{
	int fraction_ms = 0;
	int hour;
	int minute;
	int second;

	if (!read_digits(text, 2, 0, 23, &hour) || !skip(text, ":") || !read_digits(text, 2, 0, 59, &minute) || !skip(text, ":") ||
	    !read_digits(text, 2, 0, 60, &second))
		return false;
	if (skip(text, ".")) {
		if (!is_digit(**text))
			return false;
		for (int weight = 100; is_digit(**text); (*text)++, weight /= 10)
			fraction_ms += weight * (**text - '0');
	}
	*ret_ms = (hour * INT64_C(60) + minute) * MINUTE_MS + second * INT64_C(1000) + fraction_ms;
	return true;
}

/* "Z", "+02:00": what local time is ahead of UTC. */
static bool read_offset(const char **text, int64_t *ret_ms)
{
	bool west = **text == '-';
	int hour;
	int minute;

	*ret_ms = 0;
	if (skip(text, "Zz"))
		return true;
	if (!skip(text, "+- ") || !read_digits(text, 2, 0, 23, &hour) || !skip(text, ":") || !read_digits(text, 2, 0, 59, &minute))
		return false;
	*ret_ms = (hour * INT64_C(60) + minute) * MINUTE_MS * (west ? -1 : 1);
	return true;
}

bool moment_parse(const char *text, int64_t *ret_ms)
{
	int64_t date_ms;
	int64_t time_ms = 0;
	int64_t offset_ms = 0;

	if (text_to_number(text, 0, LAST_MS, ret_ms))
		return true;
	if (!read_date(&text, &date_ms))
		return false;
	if (*text && (!skip(&text, "Tt ") || !read_time(&text, &time_ms) || !read_offset(&text, &offset_ms) || *text))
		return false;
	date_ms += time_ms - offset_ms;
	if (date_ms < 0 || date_ms > LAST_MS)
		return false;
	*ret_ms = date_ms;
	return true;
}
