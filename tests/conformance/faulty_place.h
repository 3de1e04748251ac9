/* SPDX-License-Identifier: Apache-2.0
 *
 * faulty_place.h - stores of the faulty plugin around sqlite, in a folder of their own.
 */
#ifndef CONFORMANCE_FAULTY_PLACE_H
#define CONFORMANCE_FAULTY_PLACE_H

#include "sqlite_place.h"
#include "storage_suite.h"

#define FAULTY_STORES_MAX 256u

struct faulty_place {
	char folder[SQLITE_PLACE_SIZE];
	char rules[SQLITE_PLACE_SIZE + 8]; /* one file for all stores */
	char options[FAULTY_STORES_MAX][64];
	union pep_value values[FAULTY_STORES_MAX][3];
};

/* End the program on an error. */
struct faulty_place *faulty_place_new(void);
void faulty_place_free(struct faulty_place *place);
/* ctx: a struct faulty_place. */
struct storage_facts faulty_place_facts(struct faulty_place *place);
/* The rules from now on; see tests/plugins/faulty/rules.h. */
void faulty_place_rules(const struct faulty_place *place, const char *rules);

#endif
