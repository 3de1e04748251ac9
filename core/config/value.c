/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/value.h"

#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

bool value_bool(const char *text, bool *ret_flag)
{
	bool flag = strcmp(text, "true") == 0;

	if (!flag && strcmp(text, "false") != 0)
		return false;
	*ret_flag = flag;
	return true;
}

bool value_int(const char *text, int64_t *ret_number)
{
	bool is_negative = text[0] == '-';
	int64_t number;

	if (!text_to_number(text + is_negative, is_negative ? 1 : 0, INT64_MAX, &number))
		return false;
	*ret_number = is_negative ? -number : number;
	return true;
}

bool value_span(const char *text, int64_t *ret_ms)
{
	size_t digits = strspn(text, "0123456789");
	char number_text[16];
	int64_t number;

	if (digits >= sizeof(number_text))
		return false;
	memcpy(number_text, text, digits);
	number_text[digits] = '\0';
	for (size_t i = 0; i < UNIT_COUNT; i++) {
		if (strcmp(text + digits, units[i].name) != 0)
			continue;
		if (!text_to_number(number_text, 0, INT64_MAX / units[i].ms, &number))
			return false;
		*ret_ms = number * units[i].ms;
		return true;
	}
	return false;
}

void value_span_write(int64_t ms, char ret_text[32])
{
	size_t i = ms == 0 ? 2 : 0; /* nothing is "0s" */

	while (ms % units[i].ms)
		i++;
	(void)snprintf(ret_text, 32, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
}

void value_number_write(int64_t number, bool is_span, char ret_text[32])
{
	if (is_span)
		value_span_write(number, ret_text);
	else
		(void)snprintf(ret_text, 32, "%" PRId64, number);
}

bool value_is_name(const char *text)
{
	size_t size = 0;

	if (!text)
		return false;
	while (text[size] && strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", text[size]))
		if (++size > 32)
			return false;
	return size > 0 && !text[size];
}
