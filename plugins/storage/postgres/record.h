/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - a record of the contract as a row of the table.
 */
#ifndef PLUGINS_STORAGE_POSTGRES_RECORD_H
#define PLUGINS_STORAGE_POSTGRES_RECORD_H

#include <libpq-fe.h>
#include <pep/identity.h>

#define RECORD_COLUMN_COUNT 31 /* parameter i + 1 is column i; the first is the serial, the last the revision */

/* Parameters of a statement, as libpq wants them. */
struct record_row {
	const char *values[RECORD_COLUMN_COUNT];
	int sizes[RECORD_COLUMN_COUNT], formats[RECORD_COLUMN_COUNT];
	uint64_t numbers[RECORD_COLUMN_COUNT]; /* of the wire: what numbers in `values` point to */
};

/* The name of a column; NULL behind the last one. `brief`: of those that a brief walk reads. */
const char *record_column(size_t i, bool brief);

/* The texts are borrowed; *ret_row must not be copied. */
void record_bind(const struct pep_identity *id, struct record_row *ret_row);

/* Row `row` of a binary answer that begins with the columns, in their order. The texts are the answer's. */
void record_read(const PGresult *result, int row, bool brief, struct pep_identity *ret_id);

/* A number of the answer. */
int64_t record_number(const PGresult *result, int row, int field);
/* A number as it goes over the wire, in eight bytes. */
uint64_t record_wire(int64_t number);

#endif
