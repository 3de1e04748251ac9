/* SPDX-License-Identifier: Apache-2.0
 *
 * history.h - a record's earlier attempts that may have left a certificate, as a JSON array. One entry for each attempt.
 *
 * An entry: {"attempt":2,"generation":1,"enrollmentID":"A-...","_id":"...","deployedAt":1700000000000,"ended":"delivered",
 * "reason":"..."}; what is absent is left out, what a newer version put in is kept. No history is NULL. [any thread]
 */
#ifndef CORE_SERVICE_HISTORY_H
#define CORE_SERVICE_HISTORY_H

#include "core/base/arena.h"

#include <pep/plugin.h>

/* How an attempt ended, as far as is known. */
#define HISTORY_DELIVERED "delivered"
#define HISTORY_IN_DOUBT "in_doubt"
#define HISTORY_FAILED "failed"
#define HISTORY_RETIRED "retired" /* by an operator, before it was known */

struct history_entry {
	uint32_t attempt, generation;
	const char *enrollment_id; /* NULL: not known (an opaque tool's) */
	const char *dispatch_id;   /* NULL: never said to be deployed; then deployed_ms is 0 */
	int64_t deployed_ms;
	const char *ended;  /* HISTORY_... */
	const char *reason; /* may be NULL */
};

/* A copy of `history` in the arena with this entry put in. If the attempt has one already, the members that are set here replace
 * its; one that was delivered stays so. PEP_NO_MEMORY; PEP_INVALID: history is not such an array, and nobody should write over it. */
pep_status history_put(struct arena *arena, const char *history, const struct history_entry *entry, const char **ret_history);
/* Does the history say that this attempt was delivered? False, too, if it cannot be read. */
bool history_delivered(const char *history, uint32_t attempt);
/* The attempt with this enrollment id; 0: none, or it cannot be read. */
uint32_t history_attempt_of(const char *history, const char *enrollment_id);

/* Is this attempt, or a later one, in the history as one of which nobody knows what it left? True, too, if it cannot be read. */
bool history_in_doubt(const char *history, uint32_t attempt);

#endif
