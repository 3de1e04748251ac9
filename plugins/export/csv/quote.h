/* SPDX-License-Identifier: Apache-2.0
 *
 * quote.h - one line of CSV, written into memory of the caller's.
 *
 * A quoted text has the quotes in it doubled (RFC 4180, 2.5 to 2.7); nothing else in it is changed. What does not fit is remembered,
 * so that a writer looks once at the end.
 */
#ifndef CSV_QUOTE_H
#define CSV_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_line {
	char *next, *end; /* free room */
	bool full;        /* something did not fit; stays so */
};

/* As it is. */
void quote_bytes(struct csv_line *line, const char *bytes, size_t size);
/* A quoted text; NULL is an empty field, without quotes. */
void quote_text(struct csv_line *line, const char *text);
/* Quoted only if it has to be: it holds a comma, a quote or a line end. NULL and "" are empty fields. */
void quote_where_needed(struct csv_line *line, const char *text);
/* The same for the eyes of a spreadsheet: an apostrophe stands before what it would take for a formula (it begins with = + - @, a
 * tab or a line end), and before digits of which it would drop some (it begins with 0, or has over 15). */
void quote_guarded(struct csv_line *line, const char *text);
/* Milliseconds since 1970 UTC, 0 to the end of 9999, as 2027-03-01T06:30:00.250Z (RFC 3339); any other as a bare number. */
void quote_moment(struct csv_line *line, int64_t ms);
/* A bare number. */
void quote_number(struct csv_line *line, int64_t number);

#endif
