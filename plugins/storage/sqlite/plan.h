/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.h - a query of the contract as statements of query.h with their bounds.
 */
#ifndef PLUGINS_STORAGE_SQLITE_PLAN_H
#define PLUGINS_STORAGE_SQLITE_PLAN_H

#include "reader.h"

#include <pep/storage.h>

/* One end of a range of keys. Texts hold no NUL, so the size tells whether the text itself is meant (strlen) or what comes right
 * behind it (strlen + 1, the NUL being less than any other byte). */
struct plan_bound {
	const char *text; /* NULL: no bound */
	size_t size;
};

struct plan {
	struct pep_scan_query query;
	enum query_index index;
	enum query_part parts[2]; /* in the order of the walk */
	unsigned part_count;
	bool ranged;                           /* deployed_ms matters */
	bool impossible;                       /* no record can match */
	int64_t deployed_first, deployed_last; /* both included */
	struct plan_bound lower, upper;        /* of QUERY_DISPATCHED: lower included, upper not */
	bool bounds_from_range;                /* plan_find_bounds() is worth it */
};

/* As much of `query` as its struct_size covers; the rest is zero. */
struct pep_scan_query plan_query(const struct pep_scan_query *query);
/* The query's texts are borrowed as long as the plan is used. */
void plan_init(struct plan *plan, const struct pep_scan_query *query);

/* Dispatch ids are made in the order of deployment, so a range of deployed_ms is a range of them, or nearly so: find its ends, in
 * order not to walk over the rest. The texts are written to *ret_texts, for the caller to free(). */
pep_status plan_find_bounds(struct plan *plan, struct reader *reader, char **ret_texts, struct pep_error *err);

/* The statement of part number `part`, with all its parameters; `behind`: continue behind this key (NULL: from the start). Texts
 * are copied. *ret_statement is the reader's. */
pep_status plan_statement(const struct plan *plan, struct reader *reader, unsigned part, const char *behind, bool counting,
			  int64_t limit, sqlite3_stmt **ret_statement, struct pep_error *err);

/* Does a record match everything but the limit? For a query with `serial`. */
bool plan_matches(const struct plan *plan, const struct pep_identity *id);

#endif
