/* SPDX-License-Identifier: Apache-2.0
 *
 * storage_data.h - records to walk over: in the store, and here in the order that the model wants.
 */
#ifndef CONFORMANCE_STORAGE_DATA_H
#define CONFORMANCE_STORAGE_DATA_H

#include "storage_driver.h"

#define DATA_SMALL_COUNT 90u

/* A record with room for its texts. */
struct entry {
	struct pep_identity id;
	char serial[32], dispatch_id[32], enrollment_id[32];
};

struct data {
	struct entry *entries;
	const struct pep_identity **sorted;
	size_t count;
};

/* `count` entries to fill in, zeroed; data_insert() stores and sorts them. [main thread, as all of these] */
struct entry *data_alloc(struct data *data, size_t count);
void data_insert(struct store_driver *driver, struct data *data);
/* After entries were changed, in the store and here. */
void data_sort(struct data *data);
void data_free(struct data *data);

/* DATA_SMALL_COUNT records: all states, with and without dispatch id, lease, deployment and key, in no order. */
void data_make_small(struct store_driver *driver, struct data *data);
/* The first `dispatched` of `count` are deployed, with dispatch ids from "d000000" on; the others have failed. */
void data_make_many(struct store_driver *driver, struct data *data, unsigned count, unsigned dispatched);

/* Walk, and count() if the plugin has it: exactly the records of the model, in its order, all members. Of a brief walk those members
 * that may be missing may be. */
void data_check_query(struct store_driver *driver, const struct data *data, const struct pep_scan_query *query);

#endif
