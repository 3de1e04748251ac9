/* SPDX-License-Identifier: Apache-2.0
 *
 * migration.h - the steps of a migration from one store to another, with nothing but the storage contract.
 *
 * Each writes what people should know to standard error, and returns a COMMAND_ exit code. They stop, with COMMAND_FAILED, when
 * store_stopping() says so. [main thread]
 */
#ifndef CORE_COMMAND_MIGRATION_H
#define CORE_COMMAND_MIGRATION_H

#include "core/command/canonical.h"
#include "core/plugin/instance.h"

struct store_side;

#define MIGRATION_SHOWN_COUNT 10 /* records that are named */

struct migration {
	struct storage *source, *target; /* borrowed */
	int64_t source_count;            /* migration_survey() */
	int64_t present_count;           /* migration_look(): records that the target has already, all of them equal */
	int64_t copied_count;            /* migration_copy() */
	char digest[CANONICAL_HEX_SIZE]; /* migration_copy(): of what was read from the source, in its order */
};

/* Looks at the source: how many records, and whether somebody works on one of them. COMMAND_UNSAFE: he does. */
int migration_survey(struct migration *migration);
/* Looks at the target: whatever is there has to be equal to what the source has. COMMAND_UNSAFE: it is not, or both are one store. */
int migration_look(struct migration *migration);
/* Inserts what the target lacks. Nothing is ever overwritten. COMMAND_DIFFERENT: some of it is there and differs.
 * COMMAND_FAILED: a store failed; the same again goes on. */
int migration_copy(struct migration *migration);
/* Copies how far each subscriber of `push` in either configuration has been told, where the target does not know it yet. The stores are
 * open. COMMAND_FAILED: a store failed. */
int migration_notes(const struct store_side *from, const struct store_side *to);

/* The notes of orders and grants: what is in the target already has to be equal (LOOK, before anything is written), what it lacks is
 * written (COPY), and in the end both have the same (COMPARE). */
enum migration_step { MIGRATION_LOOK = 1, MIGRATION_COPY, MIGRATION_COMPARE };
/* *ret_count: notes of the source. COMMAND_UNSAFE: LOOK found another note in the target, or a target that keeps none. COMMAND_DIFFERENT:
 * they are not equal. COMMAND_FAILED: a store failed; the same again goes on. */
int migration_orders(const struct migration *migration, enum migration_step step, int64_t *ret_count);
/* Reads both from end to end, side by side. COMMAND_DIFFERENT: they are not equal, or the source has changed since migration_copy(). */
int migration_verify(const struct migration *migration);

#endif
