/* SPDX-License-Identifier: Apache-2.0
 *
 * query.h - a query of the contract as a filter and options for the server, each with the index that answers it.
 */
#ifndef PLUGINS_STORAGE_MONGO_QUERY_H
#define PLUGINS_STORAGE_MONGO_QUERY_H

#include <mongoc/mongoc.h>
#include <pep/storage.h>

/* As much of `query` as its struct_size covers; the rest is zero. */
struct pep_scan_query query_own(const struct pep_scan_query *query);

/* What is found behind the listOrder `behind` (NULL: from the start). False: out of memory. */
bool query_filter(const struct pep_scan_query *query, const char *behind, bson_t *ret_filter);

/* The index by name, so that the server fails rather than read everything when it is gone; how long it may take. */
bool query_hint(const struct pep_scan_query *query, int64_t timeout_ms, bson_t *options);
/* The same for a page of `limit` records, in order. `linearizable`: wait until a majority agrees who the primary is. */
bool query_page(const struct pep_scan_query *query, int64_t timeout_ms, int64_t limit, bool linearizable, bson_t *options);

#endif
