/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/walk.h"

#include "core/command/store_side.h"

pep_status walk_begin(struct walk *walk, struct storage *storage, const char *doing, int64_t total, struct pep_error *err)
{
	const struct pep_scan_query query = {.struct_size = sizeof(query)};

	walk->scan = NULL;
	progress_begin(&walk->progress, doing, total);
	return storage_scan_open(storage, &query, &walk->scan, err);
}

pep_status walk_next(struct walk *walk, const struct pep_identity **ret_id, struct pep_error *err)
{
	pep_status status;

	*ret_id = NULL;
	if (store_stopping())
		return pep_fail(err, PEP_CANCELLED, 0, "stopped; run the same command again, it goes on from there");
	status = storage_scan_next(walk->scan, ret_id, err);
	if (status == PEP_OK && *ret_id)
		progress_step(&walk->progress);
	return status;
}

void walk_end(struct walk *walk)
{
	storage_scan_close(walk->scan);
	progress_end(&walk->progress);
}
