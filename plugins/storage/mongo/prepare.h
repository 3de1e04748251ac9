/* SPDX-License-Identifier: Apache-2.0
 *
 * prepare.h - makes a database fit for this version: which one made it, old documents, indexes.
 */
#ifndef PLUGINS_STORAGE_MONGO_PREPARE_H
#define PLUGINS_STORAGE_MONGO_PREPARE_H

#include "link.h"

#define PREPARE_VERSION 1 /* of the fields and indexes that this source makes */
#define PREPARE_COLLECTION "pep_schema"

/* PEP_INVALID: a newer version's database, or documents that cannot be records. Several servers may do it at once. */
pep_status prepare_run(struct link *link, struct pep_error *err);

#endif
