/* SPDX-License-Identifier: Apache-2.0
 *
 * takeover.h - documents that the original tool has left become records: it had no states, only `deployed`.
 */
#ifndef PLUGINS_STORAGE_MONGO_TAKEOVER_H
#define PLUGINS_STORAGE_MONGO_TAKEOVER_H

#include "link.h"

/* Adds our fields to each document without a revision; nothing that is there is changed or removed. Deployed ones are deployed, their
 * _id is their dispatch id; the others are serials that an attempt left behind: failed. May be repeated, and be done by two servers at
 * once. PEP_INVALID: a document that cannot be a record; the message names it. *ret_count: how many there were. */
pep_status takeover_run(struct link *link, const struct link_use *use, int64_t *ret_count, struct pep_error *err);
/* Is there one? Needs INDEX_ORDER. */
pep_status takeover_is_needed(struct link *link, const struct link_use *use, bool *ret_needed, struct pep_error *err);

#endif
