/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_model.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a_pointer, const void *b_pointer)
{
	const struct pep_identity *a = *(const struct pep_identity *const *)a_pointer;
	const struct pep_identity *b = *(const struct pep_identity *const *)b_pointer;

	if (a->dispatch_id && b->dispatch_id)
		return strcmp(a->dispatch_id, b->dispatch_id);
	if (!a->dispatch_id && !b->dispatch_id)
		return strcmp(a->serial, b->serial);
	return a->dispatch_id ? -1 : 1;
}

void model_sort(const struct pep_identity **records, size_t count)
{
	qsort(records, count, sizeof(void *), compare);
}

static bool is_behind(const struct pep_identity *id, const struct pep_scan_query *query)
{
	if (!id->dispatch_id)
		return !query->descending;
	return query->descending ? strcmp(id->dispatch_id, query->after) < 0 : strcmp(id->dispatch_id, query->after) > 0;
}

static bool matches(const struct pep_identity *id, const struct pep_scan_query *query)
{
	if (query->state && id->state != query->state)
		return false;
	if (query->serial && strcmp(id->serial, query->serial) != 0)
		return false;
	if (query->idempotency_key && (!id->idempotency_key || strcmp(id->idempotency_key, query->idempotency_key) != 0))
		return false;
	if (query->after && !is_behind(id, query))
		return false;
	if (query->deployed_from_ms && id->deployed_ms < query->deployed_from_ms)
		return false;
	if (query->deployed_to_ms && id->deployed_ms >= query->deployed_to_ms)
		return false;
	return !query->lease_before_ms || (id->lease_until_ms > 0 && id->lease_until_ms < query->lease_before_ms);
}

size_t model_select(const struct pep_identity *const *sorted, size_t count, const struct pep_scan_query *query,
		    const struct pep_identity **ret_selected)
{
	size_t selected = 0;

	for (size_t i = 0; i < count && (!query->limit || selected < query->limit); i++) {
		const struct pep_identity *id = sorted[query->descending ? count - 1 - i : i];

		if (matches(id, query))
			ret_selected[selected++] = id;
	}
	return selected;
}
