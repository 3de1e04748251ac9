/* SPDX-License-Identifier: Apache-2.0
 *
 * write.h - one record is written: confirmed by a majority's journals, refused, or nobody knows.
 */
#ifndef PLUGINS_STORAGE_MONGO_WRITE_H
#define PLUGINS_STORAGE_MONGO_WRITE_H

#include "link.h"

#include <pep/identity.h>

/* The answers are those of insert() and update() in pep/storage.h. [any thread] */
pep_status write_insert(struct link *link, const struct pep_identity *id, struct pep_error *err);
pep_status write_update(struct link *link, const struct pep_identity *id, struct pep_error *err);

#endif
