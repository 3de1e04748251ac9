/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/csv.h"

#include "core/base/cleanup.h"

#include <stdlib.h>
#include <string.h>

static const char *const columns[] = {"enrollmentID", "serialNumber",    "gatewayServicesAddress",
				      "apiAddress",   "hardwareVersion", "radioConfig",
				      "ledConfig",    "category",        "deployed",
				      "createdAt"};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static void add_quoted(struct buffer *out, const char *text, size_t size)
{
	buffer_byte(out, '"');
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"')
			buffer_byte(out, '"');
		buffer_byte(out, text[i]);
	}
	buffer_byte(out, '"');
}

static bool add_value(struct buffer *out, const json_t *value)
{
	AUTO(free_ptr) char *number = NULL;

	if (!value || json_is_null(value))
		return true;
	if (json_is_string(value)) {
		add_quoted(out, json_string_value(value), json_string_length(value));
		return true;
	}
	if (json_is_boolean(value)) {
		buffer_text(out, json_is_true(value) ? "true" : "false");
		return true;
	}
	if (!json_is_number(value))
		return false;
	/* 15 digits are what a decimal number of up to 15 digits needs to come back as it was. */
	number = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	if (!number)
		return false;
	buffer_text(out, number);
	return true;
}

static bool add_record(struct buffer *out, const json_t *record)
{
	if (!json_is_object(record))
		return false;
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (i)
			buffer_byte(out, ',');
		if (!add_value(out, json_object_get(record, columns[i])))
			return false;
	}
	buffer_byte(out, '\n');
	return true;
}

bool csv_from_results(json_t *results, struct buffer *out)
{
	const json_t *record;
	size_t index;

	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (i)
			buffer_byte(out, ',');
		add_quoted(out, columns[i], strlen(columns[i]));
	}
	buffer_byte(out, '\n');
	json_array_foreach(results, index, record)
	{
		if (!add_record(out, record))
			return false;
	}
	return !out->failed;
}
