/* SPDX-License-Identifier: Apache-2.0
 *
 * storage_suite.h - what every storage plugin must do, tested through its table alone.
 */
#ifndef CONFORMANCE_STORAGE_SUITE_H
#define CONFORMANCE_STORAGE_SUITE_H

#include <pep/storage.h>

/* What the table of a storage plugin does not say. */
struct storage_facts {
	const char *file; /* the built plugin */
	uint64_t flags;   /* PEP_STORAGE_*: what it has to claim */
	/* The answers to its options for store `number`: one that is empty when it is opened first, and another for each number.
	 * Live until the program ends. */
	const union pep_value *(*values)(void *ctx, unsigned number);
	void *ctx;
	/* How many records the large walks go over; 0: 100,000. Fewer only where filling such a store would take minutes. */
	unsigned many;
};

/* Runs the suite as cmocka groups; returns how many tests failed. */
int storage_suite_run(const struct storage_facts *facts);

#endif
