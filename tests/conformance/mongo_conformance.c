/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the mongo plugin: each store is a database of its own.
 */
#include "mongo_place.h"
#include "storage_suite.h"

#include <stdlib.h>
#include <string.h>

#define STORES_MAX 512u
#define MANY_ON_DOUBLE 5000u /* it is slow at filling: 100,000 are for real servers */

struct stores {
	struct mongo_place place;
	unsigned count;
	char uris[STORES_MAX][MONGO_PLACE_SIZE];
	union pep_value values[STORES_MAX][MONGO_OPTION_COUNT];
};

static const union pep_value *values_of(void *ctx, unsigned number)
{
	struct stores *stores = ctx;

	if (number >= STORES_MAX)
		abort();
	if (number >= stores->count)
		stores->count = number + 1;
	mongo_place_uri(&stores->place, number, NULL, stores->uris[number]);
	mongo_place_values(stores->uris[number], NULL, stores->values[number]);
	return stores->values[number];
}

int main(void)
{
	struct stores *stores = calloc(1, sizeof(*stores));
	struct storage_facts facts = {.file = PEP_TEST_PLUGIN_DIR "/mongo.so",
				      .flags = PEP_STORAGE_SHARED | PEP_STORAGE_DURABLE,
				      .values = values_of,
				      .ctx = stores};
	int failed;

	if (!stores)
		return 1;
	mongo_place_init(&stores->place, NULL);
	facts.many = strcmp(stores->place.kind, "double") == 0 ? MANY_ON_DOUBLE : 0;
	failed = storage_suite_run(&facts);
	mongo_place_clean(&stores->place, stores->count);
	mongo_place_fini(&stores->place);
	free(stores);
	return failed;
}
