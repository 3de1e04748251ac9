/* SPDX-License-Identifier: Apache-2.0 */
#include "format.h"

#include <jansson.h>
#include <string.h>

/* A place in a text. */
struct cursor {
	const char *next, *end;
};

static bool take(struct cursor *cursor, char byte)
{
	if (cursor->next == cursor->end || *cursor->next != byte)
		return false;
	cursor->next++;
	return true;
}

/* A field in quotes holds anything, a quote twice; a bare one no quote, comma or line end. */
static bool take_field(struct cursor *cursor)
{
	if (!take(cursor, '"')) {
		while (cursor->next < cursor->end && !strchr(",\"\r\n", *cursor->next))
			cursor->next++;
		return true;
	}
	for (; cursor->next < cursor->end; cursor->next++) {
		if (*cursor->next != '"')
			continue;
		cursor->next++;
		if (cursor->next == cursor->end || *cursor->next != '"')
			return true;
	}
	return false;
}

static const char *take_row(struct cursor *cursor, long *ret_columns, bool *ret_crlf)
{
	long columns = 0;

	do {
		if (!take_field(cursor))
			return "a quoted field has no end";
		columns++;
	} while (take(cursor, ','));
	*ret_crlf = take(cursor, '\r');
	if (!take(cursor, '\n'))
		return "a field is followed by neither a comma nor a line end";
	*ret_columns = columns;
	return NULL;
}

static const char *read_csv(const char *text, size_t size, long *ret_count)
{
	struct cursor cursor = {text, text + size};
	long columns = 0, first_columns = 0;
	bool crlf = false, first_crlf = false;

	*ret_count = 0;
	for (; cursor.next < cursor.end; ++*ret_count) {
		const char *why = take_row(&cursor, &columns, &crlf);

		if (why)
			return why;
		if (*ret_count == 0) {
			first_columns = columns;
			first_crlf = crlf;
		}
		if (columns != first_columns)
			return "a row has more or fewer fields than the first one";
		if (crlf != first_crlf)
			return "some rows end with CR LF, some with LF";
	}
	return NULL;
}

static const char *read_tsv(const char *text, size_t size, long *ret_count)
{
	long tabs = 0, first_tabs = 0;

	*ret_count = 0;
	if (size && text[size - 1] != '\n')
		return "the last line has no end";
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\t')
			tabs++;
		if (text[i] != '\n')
			continue;
		if (*ret_count == 0)
			first_tabs = tabs;
		if (tabs != first_tabs)
			return "a line has more or fewer fields than the first one";
		tabs = 0;
		++*ret_count;
	}
	return NULL;
}

static const char *read_json(const char *text, size_t size, long *ret_count)
{
	json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

	if (!value)
		return "it is not JSON, or not UTF-8, or an object has a member twice";
	*ret_count = json_is_array(value) ? (long)json_array_size(value) : -1;
	json_decref(value);
	return NULL;
}

static const char *read_jsonl(const char *text, size_t size, long *ret_count)
{
	const char *end = text + size;

	for (*ret_count = 0; text < end; ++*ret_count) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		long ignored;

		if (!line_end)
			return "the last line has no end";
		if (read_json(text, (size_t)(line_end - text), &ignored))
			return "a line is not JSON, or not UTF-8, or an object has a member twice";
		text = line_end + 1;
	}
	return NULL;
}

format_reader *format_find(const char *media_type)
{
	static const struct {
		const char *type;
		format_reader *reader;
	} readers[] = {
		{"text/csv", read_csv},
		{"text/tab-separated-values", read_tsv},
		{"application/json", read_json},
		{"application/x-ndjson", read_jsonl},
		{"application/jsonl", read_jsonl},
	};
	size_t size = strcspn(media_type, "; ");

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strlen(readers[i].type) == size && strncmp(readers[i].type, media_type, size) == 0)
			return readers[i].reader;
	return NULL;
}
