/* SPDX-License-Identifier: Apache-2.0
 *
 * query.h - the SQL of every read and write, by number, so that each connection can keep each of them prepared.
 *
 * The column `walk` is the order of the contract in one text: "0" and the dispatch_id, or "1" and the serial where there is none yet.
 * So a walk is a range of one index. `odd` is every record that is not simply deployed: the few that states and leases are asked of.
 */
#ifndef PLUGINS_STORAGE_POSTGRES_QUERY_H
#define PLUGINS_STORAGE_POSTGRES_QUERY_H

#include <stdbool.h>
#include <stddef.h>

enum query_lead { QUERY_ALL, QUERY_ODD, QUERY_KEY, QUERY_SERIAL }; /* what leads to the records of a walk */

enum query_number {
	QUERY_INSERT,      /* the columns of record.h but the revision; no row if a unique index holds against it */
	QUERY_UPDATE,      /* the columns of record.h; no row if serial and revision do not match */
	QUERY_POINT,       /* $1 serial: the columns of record.h */
	QUERY_NOW,         /* the server's clock in milliseconds; 1 if it takes no writes, else 0 */
	QUERY_RANGE,       /* $1 to $2 deployed_ms, both included, but not 0: least and greatest `walk`, NULL if none */
	QUERY_NOTE_READ,   /* $1 name: revision and text of a note */
	QUERY_NOTE_INSERT, /* $1 name, $2 text; no row if there is one */
	QUERY_NOTE_UPDATE, /* $1 name, $2 text, $3 revision; no row if name and revision do not match */
	QUERY_WALK,        /* and on: see query_walk() */
	QUERY_COUNT = QUERY_WALK + 32,
};

/* A page is as long as this. The planner has to know it: with a parameter it would assume a tenth of the table. */
#define QUERY_PAGE_ROWS 256
#define QUERY_SHORT_PAGE_ROWS 32

/* What a statement of a walk is for. */
struct query_shape {
	enum query_lead lead;
	bool descending;
	bool brief;    /* without what is kept for the server */
	bool is_short; /* QUERY_SHORT_PAGE_ROWS instead of QUERY_PAGE_ROWS */
};

/* The statement that reads a page: the columns of record.h, then `walk`. Its parameters:
 *   $1 walk >= $1   $2 walk < $2   $3 state, 0: any   $4 0 < lease_until_ms < $4, 0: any
 *   $5 deployed_ms >= $5   $6 deployed_ms <= $6   $7 idempotency_key or serial (QUERY_KEY and QUERY_SERIAL only) */
unsigned query_walk(const struct query_shape *shape);
/* How many parameters a statement has. */
int query_parameter_count(unsigned number);

#define QUERY_SQL_SIZE 2048
/* Writes the text of statement `number`. */
void query_sql(unsigned number, char ret_sql[QUERY_SQL_SIZE]);

#endif
