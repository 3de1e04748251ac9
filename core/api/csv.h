/* SPDX-License-Identifier: Apache-2.0
 *
 * csv.h - reads rows of text with separators (RFC 4180), as spreadsheets write them. [one thread]
 *
 * The separator is what the first line has most of: comma, semicolon or tab. Lines end with LF or CRLF; a byte order mark is passed over;
 * spaces around a value are not part of it, unless it is quoted. Empty lines are no rows.
 */
#ifndef CORE_API_CSV_H
#define CORE_API_CSV_H

#include "core/base/arena.h"

#include <stdbool.h>

#define CSV_COLUMNS_MAX 64u

struct csv {
	const char *next, *end;
	char separator;
	unsigned line; /* of `next`, from 1 */
};

struct csv_row {
	unsigned line; /* where it begins */
	unsigned count;
	const char *values[CSV_COLUMNS_MAX]; /* in the arena */
	const char *fault;                   /* what is wrong with the row as such; NULL: nothing */
};

/* `text` is borrowed and has no NUL. */
void csv_open(struct csv *csv, const char *text, size_t size);
/* False: there is no more. Out of memory is a fault of the row. */
bool csv_next(struct csv *csv, struct arena *arena, struct csv_row *ret_row);

#endif
