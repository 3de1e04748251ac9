/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.h - a walk over records, page by page: between two pages it holds no connection and no cursor of the server.
 *
 * What is there during the whole walk, and keeps its place, is returned once.
 */
#ifndef PLUGINS_STORAGE_MONGO_SCAN_H
#define PLUGINS_STORAGE_MONGO_SCAN_H

#include "link.h"

#include <pep/storage.h>

struct scan;

/* `query` is borrowed for the call, `link` until scan_close(). The promise is that of scan_open() and so on in pep/storage.h. */
pep_status scan_open(struct link *link, const struct pep_scan_query *query, struct scan **ret_scan, struct pep_error *err);
pep_status scan_next(struct scan *scan, const struct pep_identity **ret_id, struct pep_error *err);
void scan_close(struct scan *scan);

pep_status scan_count(struct link *link, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err);

#endif
