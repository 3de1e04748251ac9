/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the sqlite plugin: each store is a file of its own.
 */
#include "sqlite_place.h"
#include "storage_suite.h"

#include <stdlib.h>
#include <string.h>

#define STORES_MAX 256u

struct stores {
	char folder[SQLITE_PLACE_SIZE];
	char paths[STORES_MAX][SQLITE_PLACE_SIZE + 16];
	union pep_value values[STORES_MAX][SQLITE_OPTION_COUNT];
};

static const union pep_value *values_of(void *ctx, unsigned number)
{
	struct stores *stores = ctx;
	char folder[SQLITE_PLACE_SIZE]; /* a copy: gcc takes source and target, both in *stores, for overlapping */

	if (number >= STORES_MAX)
		abort();
	memcpy(folder, stores->folder, sizeof(folder));
	(void)snprintf(stores->paths[number], sizeof(stores->paths[number]), "%s/%u.db", folder, number);
	sqlite_place_values(stores->paths[number], stores->values[number]);
	return stores->values[number];
}

int main(void)
{
	struct stores *stores = calloc(1, sizeof(*stores));
	struct storage_facts facts = {.file = PEP_TEST_PLUGIN_DIR "/sqlite.so",
				      .flags = PEP_STORAGE_DURABLE | PEP_STORAGE_INLINE_READS,
				      .values = values_of,
				      .ctx = stores};
	int failed;

	if (!stores)
		return 1;
	sqlite_place_init(stores->folder);
	failed = storage_suite_run(&facts);
	sqlite_place_fini(stores->folder);
	free(stores);
	return failed;
}
