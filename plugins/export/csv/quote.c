/* SPDX-License-Identifier: Apache-2.0 */
#include "quote.h"

#include <string.h>

#define DAY_MS 86400000
#define LAST_MOMENT_MS 253402300799999 /* 9999-12-31T23:59:59.999Z */

void quote_bytes(struct csv_line *line, const char *bytes, size_t size)
{
	if (size > (size_t)(line->end - line->next)) {
		line->full = true;
		return;
	}
	memcpy(line->next, bytes, size);
	line->next += size;
}

/* What stands behind an opening quote, and the closing one. */
static void quote_inside(struct csv_line *line, const char *text)
{
	for (;;) {
		const char *quote = strchrnul(text, '"');

		quote_bytes(line, text, (size_t)(quote - text));
		quote_bytes(line, "\"\"", *quote ? 2 : 1);
		if (!*quote)
			return;
		text = quote + 1;
	}
}

void quote_text(struct csv_line *line, const char *text)
{
	if (!text)
		return;
	quote_bytes(line, "\"", 1);
	quote_inside(line, text);
}

void quote_where_needed(struct csv_line *line, const char *text)
{
	if (!text)
		return;
	if (strpbrk(text, ",\"\r\n"))
		quote_text(line, text);
	else
		quote_bytes(line, text, strlen(text));
}

static bool is_a_formula(const char *text)
{
	return *text && strchr("=+-@\t\r\n", *text);
}

static bool loses_digits(const char *text)
{
	size_t size = strspn(text, "0123456789");

	return size > 1 && !text[size] && (*text == '0' || size > 15);
}

void quote_guarded(struct csv_line *line, const char *text)
{
	if (!text)
		return;
	if (!is_a_formula(text) && !loses_digits(text)) {
		quote_where_needed(line, text);
		return;
	}
	quote_bytes(line, "\"'", 2);
	quote_inside(line, text);
}

/* The day of the calendar, days since 1970-01-01 (proleptic Gregorian; H. Hinnant, "chrono-compatible low-level date algorithms"). */
static void date_of_days(int64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	int64_t shifted = days + 719468; /* since 0000-03-01 */
	unsigned era = (unsigned)(shifted / 146097);
	unsigned of_era = (unsigned)(shifted % 146097);
	unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * of_year + 2) / 153; /* from March */

	*ret_day = of_year - (153 * month + 2) / 5 + 1;
	*ret_month = month < 10 ? month + 3 : month - 9;
	*ret_year = era * 400 + year + (*ret_month <= 2);
}

/* `count` digits that end before `end`. */
static void put_digits(char *end, unsigned count, unsigned number)
{
	while (count-- > 0) {
		*--end = (char)('0' + number % 10);
		number /= 10;
	}
}

void quote_moment(struct csv_line *line, int64_t ms)
{
	char text[] = "0000-00-00T00:00:00.000Z";
	unsigned of_day, year, month, day;

	if (ms < 0 || ms > LAST_MOMENT_MS) {
		quote_number(line, ms);
		return;
	}
	date_of_days(ms / DAY_MS, &year, &month, &day);
	of_day = (unsigned)(ms % DAY_MS);
	put_digits(text + 4, 4, year);
	put_digits(text + 7, 2, month);
	put_digits(text + 10, 2, day);
	put_digits(text + 13, 2, of_day / 3600000);
	put_digits(text + 16, 2, of_day / 60000 % 60);
	put_digits(text + 19, 2, of_day / 1000 % 60);
	put_digits(text + 23, 3, of_day % 1000);
	quote_bytes(line, text, sizeof(text) - 1);
}

void quote_number(struct csv_line *line, int64_t number)
{
	char digits[24];
	char *first = digits + sizeof(digits);
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do {
		*--first = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		*--first = '-';
	quote_bytes(line, first, (size_t)(digits + sizeof(digits) - first));
}
