/* SPDX-License-Identifier: Apache-2.0
 *
 * storage_cases.h - the parts of the storage suite. Each test gets a store of its own as *state: a struct store_driver.
 */
#ifndef CONFORMANCE_STORAGE_CASES_H
#define CONFORMANCE_STORAGE_CASES_H

#include "storage_driver.h"

struct storage_case {
	const char *name;
	void (*run)(void **state);
};

/* Ended by a NULL name. */
extern const struct storage_case storage_write_cases[];
extern const struct storage_case storage_walk_cases[];
extern const struct storage_case storage_thread_cases[];
extern const struct storage_case storage_value_cases[];
extern const struct storage_case storage_order_cases[];
extern const struct storage_case storage_large_cases[];
/* Of a store that keeps notes. */
extern const struct storage_case storage_note_cases[];

#endif
