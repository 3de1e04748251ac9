/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the postgres plugin: each store is a schema of its own in one database.
 */
#include "postgres_place.h"
#include "storage_suite.h"

#include <stdlib.h>

#define STORES_MAX 256u

struct stores {
	struct postgres_place place;
	char schemas[STORES_MAX][24];
	union pep_value values[STORES_MAX][POSTGRES_OPTION_COUNT];
};

static const union pep_value *values_of(void *ctx, unsigned number)
{
	struct stores *stores = ctx;

	if (number >= STORES_MAX)
		abort();
	/* A name that has to be quoted. */
	(void)snprintf(stores->schemas[number], sizeof(stores->schemas[number]), "Store \"%u\"", number);
	postgres_place_values(&stores->place, stores->schemas[number], stores->values[number]);
	return stores->values[number];
}

int main(void)
{
	struct stores *stores = calloc(1, sizeof(*stores));
	struct storage_facts facts = {.file = PEP_TEST_PLUGIN_DIR "/postgres.so",
				      .flags = PEP_STORAGE_SHARED | PEP_STORAGE_DURABLE,
				      .values = values_of,
				      .ctx = stores};
	int failed;

	if (!stores)
		return 1;
	postgres_place_init(&stores->place, false);
	failed = storage_suite_run(&facts);
	postgres_place_fini(&stores->place);
	free(stores);
	return failed;
}
