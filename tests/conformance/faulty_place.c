/* SPDX-License-Identifier: Apache-2.0 */
#include "faulty_place.h"

#include <stdlib.h>
#include <string.h>

static const union pep_value *values_of(void *ctx, unsigned number)
{
	struct faulty_place *place = ctx;
	union pep_value *values;

	if (number >= FAULTY_STORES_MAX)
		abort();
	values = place->values[number];
	(void)snprintf(place->options[number], sizeof(place->options[number]), "path=%u.db;check_mib=64", number);
	values[0].text = PEP_TEST_PLUGIN_DIR "/sqlite.so";
	values[1].text = place->options[number];
	values[2].text = place->rules;
	return values;
}

struct faulty_place *faulty_place_new(void)
{
	struct faulty_place *place = calloc(1, sizeof(*place));
	char folder[SQLITE_PLACE_SIZE];

	if (!place)
		abort();
	sqlite_place_init(folder);
	memcpy(place->folder, folder, sizeof(folder));
	(void)snprintf(place->rules, sizeof(place->rules), "%s/rules", folder);
	return place;
}

void faulty_place_free(struct faulty_place *place)
{
	sqlite_place_fini(place->folder);
	free(place);
}

struct storage_facts faulty_place_facts(struct faulty_place *place)
{
	return (struct storage_facts){.file = PEP_TEST_BINARY_DIR "/tests/plugins/lib/faulty.so",
				      .flags = PEP_STORAGE_DURABLE,
				      .values = values_of,
				      .ctx = place,
				      .many = 10000};
}

void faulty_place_rules(const struct faulty_place *place, const char *rules)
{
	char fresh[SQLITE_PLACE_SIZE + 16];
	FILE *file;

	(void)snprintf(fresh, sizeof(fresh), "%s.new", place->rules);
	file = fopen(fresh, "we");
	if (!file || fputs(rules, file) < 0 || fclose(file) != 0 || rename(fresh, place->rules) != 0) {
		perror(fresh);
		abort();
	}
}
