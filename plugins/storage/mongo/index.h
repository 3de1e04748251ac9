/* SPDX-License-Identifier: Apache-2.0
 *
 * index.h - the indexes of the collection: made, and looked at.
 */
#ifndef PLUGINS_STORAGE_MONGO_INDEX_H
#define PLUGINS_STORAGE_MONGO_INDEX_H

#include "link.h"

#define INDEX_SERIAL "serialNumber_1" /* the original makes this one, too */
#define INDEX_ENROLLMENT "enrollmentKey_1"
#define INDEX_ORDER "listOrder_1"
#define INDEX_STATE "state_1_listOrder_1_deployedMs_1"
#define INDEX_LEASE "leaseUntilMs_1"
#define INDEX_KEY "idempotencyKey_1"

/* Makes what is missing of the serial's index, or, with `all`, of the others as well, which needs documents that were taken over.
 * PEP_INVALID: documents share a value, or another index is in the way. */
pep_status index_make(struct link *link, const struct link_use *use, bool all, struct pep_error *err);
/* PEP_UNAVAILABLE: one is missing, or not unique: two records of one gateway could be stored. */
pep_status index_check(struct link *link, const struct link_use *use, struct pep_error *err);

#endif
