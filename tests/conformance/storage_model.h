/* SPDX-License-Identifier: Apache-2.0
 *
 * storage_model.h - what a walk has to return, worked out the slow and plain way.
 */
#ifndef CONFORMANCE_STORAGE_MODEL_H
#define CONFORMANCE_STORAGE_MODEL_H

#include <pep/storage.h>

/* Sort pointers to records in the order of a walk that does not descend. */
void model_sort(const struct pep_identity **records, size_t count);
/* Of records in that order, those that the query asks for, in the order that it asks for. Returns how many; ret_selected has room
 * for `count`. */
size_t model_select(const struct pep_identity *const *sorted, size_t count, const struct pep_scan_query *query,
		    const struct pep_identity **ret_selected);

#endif
