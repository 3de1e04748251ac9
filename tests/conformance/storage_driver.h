/* SPDX-License-Identifier: Apache-2.0
 *
 * storage_driver.h - calls a storage plugin as the server does, but hands it poisoned records, and looks at each error.
 */
#ifndef CONFORMANCE_STORAGE_DRIVER_H
#define CONFORMANCE_STORAGE_DRIVER_H

#include "core/base/arena.h"
#include "storage_suite.h"

#include <pthread.h>

/* One store of the plugin under test. */
struct store_driver {
	const struct storage_facts *facts;
	const struct pep_storage_ops *ops;
	struct pep_host host;
	unsigned number; /* of facts->values() */
	void *store;
	pthread_mutex_t one_at_a_time; /* for PEP_THREADS_SERIAL */
};

/* Fail the test on an error. */
void store_open(struct store_driver *driver, const struct storage_facts *facts, unsigned number);
void store_close(struct store_driver *driver);

/* The calls of the table, [any thread]. A status other than PEP_OK has to come with an error of one line that says the same.
 * Records are handed over as copies that are overwritten after the call. */
pep_status store_insert(struct store_driver *driver, const struct pep_identity *id);
pep_status store_update(struct store_driver *driver, const struct pep_identity *id);
/* The record of a serial, copied into the arena; NULL: there is none. */
const struct pep_identity *store_get(struct store_driver *driver, struct arena *arena, const char *serial);

/* A walk; any error fails the test. */
void *walk_open(struct store_driver *driver, const struct pep_scan_query *query);
const struct pep_identity *walk_next(struct store_driver *driver, void *scan);
void walk_close(struct store_driver *driver, void *scan);
/* How many records a walk returns: counted by walking, and checked against count() if the plugin has it. */
size_t store_count(struct store_driver *driver, const struct pep_scan_query *query);

/* Fails the test at the first member that differs. `revision` is compared, too. */
void assert_same_identity(const struct pep_identity *actual, const struct pep_identity *expected);
/* The same for a record of a brief walk: what it may leave out is absent, or right. */
void assert_same_brief(const struct pep_identity *actual, const struct pep_identity *expected);

#define SCAN_QUERY(...) (&(struct pep_scan_query){.struct_size = sizeof(struct pep_scan_query), __VA_ARGS__})

#endif
