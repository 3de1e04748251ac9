/* SPDX-License-Identifier: Apache-2.0
 *
 * query.h - the SQL of every read, by number, so that a connection can keep each of them prepared.
 *
 * The order of a walk has two parts: records with a dispatch_id by dispatch_id, then those without one by serial. Each part is a
 * statement of its own that an index answers in order; INDEXED BY makes the statement fail rather than read everything. Only the
 * few records of one idempotency key are sorted.
 */
#ifndef PLUGINS_STORAGE_SQLITE_QUERY_H
#define PLUGINS_STORAGE_SQLITE_QUERY_H

#include <stdbool.h>
#include <stddef.h>

enum query_index { QUERY_ALL, QUERY_DEPLOYED, QUERY_STATE, QUERY_LEASE, QUERY_KEY }; /* which index leads the walk */
enum query_part { QUERY_DISPATCHED, QUERY_UNDISPATCHED };

enum query_number {
	QUERY_POINT,            /* ?1 serial: RECORD_COLUMNS */
	QUERY_DISPATCH_MIN_MAX, /* ?5 to ?6 deployed_ms, both included: least and greatest dispatch_id, NULL if none */
	QUERY_NOTE,             /* ?1 name: revision, text */
	QUERY_BEGIN,            /* so that the parts of one page see one state of the store */
	QUERY_END,
	QUERY_WALK, /* and on: see query_walk() */
	QUERY_COUNT = QUERY_WALK + 160,
};

/* What a statement of a walk is for. */
struct query_shape {
	enum query_index index;
	enum query_part part;
	bool descending;
	bool ranged;   /* deployed_ms matters; else the index alone can count */
	bool counting; /* how many instead of RECORD_COLUMNS */
	bool brief;    /* RECORD_BRIEF_COLUMNS instead of RECORD_COLUMNS */
};

/* The statement of one part of a walk. Its parameters:
 *   ?1 state (QUERY_LEASE: 0 is any; QUERY_ALL: absent)   ?2 lease_until_ms < ?2 (QUERY_LEASE only)
 *   ?3 the key >= ?3   ?4 the key < ?4   (key: dispatch_id or serial)
 *   ?5 deployed_ms >= ?5   ?6 deployed_ms <= ?6 (both if `ranged`)   ?7 how many at most, -1: all
 *   ?8 idempotency_key (QUERY_KEY, where ?1 and ?2 are 0 for any) */
unsigned query_walk(const struct query_shape *shape);

/* Writes the text of statement `number`; `size` of 1536 is enough for all. */
void query_sql(unsigned number, char *ret_sql, size_t size);

#endif
