/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/csv.h"

#include <string.h>

static char most_frequent(const char *text, size_t size)
{
	static const char separators[] = ",;\t";
	const char *end = memchr(text, '\n', size);
	size_t most = 0;
	char best = ',';

	for (const char *separator = separators; *separator; separator++) {
		size_t count = 0;

		for (const char *at = text; at < (end ? end : text + size); at++)
			count += *at == *separator;
		if (count > most) {
			most = count;
			best = *separator;
		}
	}
	return best;
}

void csv_open(struct csv *csv, const char *text, size_t size)
{
	size_t mark = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

	*csv = (struct csv){
		.next = text + mark, .end = text + size, .separator = most_frequent(text + mark, size - mark), .line = 1};
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

static void skip_spaces(struct csv *csv)
{
	while (csv->next < csv->end && is_space(*csv->next) && *csv->next != csv->separator)
		csv->next++;
}

/* The quote that ends a value; NULL: there is none. `start` is behind the first. */
static const char *find_end(const char *start, const char *end)
{
	for (const char *at = start; at < end; at++) {
		if (*at != '"')
			continue;
		if (at + 1 == end || at[1] != '"')
			return at;
		at++;
	}
	return NULL;
}

/* Of a value in quotes; its doubled quotes are one. */
static const char *take_quoted(struct csv *csv, struct arena *arena, const char **ret_fault)
{
	const char *start = csv->next + 1;
	const char *end = find_end(start, csv->end);
	char *value = end ? arena_alloc(arena, (size_t)(end - start) + 1) : NULL;
	size_t size = 0;

	if (!value) {
		*ret_fault = end ? "out of memory" : "a value in quotes has no end";
		csv->next = csv->end;
		return NULL;
	}
	for (const char *at = start; at < end; at++) {
		csv->line += *at == '\n';
		at += *at == '"';
		value[size++] = *at;
	}
	value[size] = '\0';
	csv->next = end + 1;
	return value;
}

static const char *take_plain(struct csv *csv, struct arena *arena)
{
	const char *start = csv->next;
	const char *stop;

	while (csv->next < csv->end && *csv->next != csv->separator && *csv->next != '\n')
		csv->next++;
	for (stop = csv->next; stop > start && is_space(stop[-1]);)
		stop--;
	return arena_copy(arena, start, (size_t)(stop - start));
}

/* Up to the separator or the end of the line. False: the row is over, or spoilt. */
static bool take_value(struct csv *csv, struct arena *arena, struct csv_row *row)
{
	const char *value;

	skip_spaces(csv);
	value = csv->next < csv->end && *csv->next == '"' ? take_quoted(csv, arena, &row->fault) : take_plain(csv, arena);
	if (!value && !row->fault)
		row->fault = "out of memory";
	if (row->fault)
		return false;
	skip_spaces(csv);
	if (csv->next < csv->end && *csv->next != csv->separator && *csv->next != '\n')
		row->fault = "there is text behind a value in quotes";
	else if (row->count == CSV_COLUMNS_MAX)
		row->fault = "it has more than 64 columns";
	else
		row->values[row->count++] = value;
	return !row->fault && csv->next < csv->end && *csv->next == csv->separator;
}

static void next_line(struct csv *csv)
{
	while (csv->next < csv->end && *csv->next != '\n')
		csv->next++;
	if (csv->next < csv->end) {
		csv->next++;
		csv->line++;
	}
}

bool csv_next(struct csv *csv, struct arena *arena, struct csv_row *ret_row)
{
	while (csv->next < csv->end) {
		struct csv_row row = {.line = csv->line};

		while (take_value(csv, arena, &row))
			csv->next++; /* the separator */
		next_line(csv);
		*ret_row = row;
		if (row.fault || row.count > 1 || *row.values[0])
			return true;
	}
	return false;
}
