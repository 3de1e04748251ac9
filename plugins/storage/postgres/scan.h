/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.h - a walk over records, page by page: between two pages it holds no connection and no state of the store.
 *
 * What is there during the whole walk is returned once. A walk that fits into one page sees one state of the store.
 */
#ifndef PLUGINS_STORAGE_POSTGRES_SCAN_H
#define PLUGINS_STORAGE_POSTGRES_SCAN_H

#include "pool.h"

#include <pep/storage.h>

struct scan;

/* `query` is borrowed for the call, `pool` until scan_close(). The promise is that of scan_open() and so on in pep/storage.h. */
pep_status scan_open(struct pool *pool, const struct pep_scan_query *query, struct scan **ret_scan, struct pep_error *err);
pep_status scan_next(struct scan *scan, const struct pep_identity **ret_id, struct pep_error *err);
void scan_close(struct scan *scan);

#endif
