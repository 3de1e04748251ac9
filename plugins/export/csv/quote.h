/* SPDX-License-Identifier: Apache-2.0
 *
 * quote.h - one line of CSV, written into memory of the caller's.
 *
 * Texts are always quoted, with quotes in them doubled (RFC 4180, 2.5 to 2.7); nothing else in them is changed. What does not fit
 * is remembered, so that a writer looks once at the end.
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
/* A quoted text; NULL is an empty field. */
void quote_text(struct csv_line *line, const char *text);
/* A bare number. */
void quote_number(struct csv_line *line, int64_t number);

#endif
