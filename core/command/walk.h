/* SPDX-License-Identifier: Apache-2.0
 *
 * walk.h - every record of a store, one after the other, with progress for people. One thread at a time.
 */
#ifndef CORE_COMMAND_WALK_H
#define CORE_COMMAND_WALK_H

#include "core/command/progress.h"
#include "core/plugin/instance.h"

struct walk {
	struct storage_scan *scan;
	struct progress progress;
};

/* `doing` and `total` are those of progress_begin(). walk_end() is the caller's in any case. */
pep_status walk_begin(struct walk *walk, struct storage *storage, const char *doing, int64_t total, struct pep_error *err);
/* *ret_id is the walk's until the next call; NULL: the end. PEP_CANCELLED: store_stopping(). */
pep_status walk_next(struct walk *walk, const struct pep_identity **ret_id, struct pep_error *err);
void walk_end(struct walk *walk);

#endif
