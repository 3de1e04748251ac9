/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the json exporter: its golden file, and a strict reader.
 */
#include "exporter_suite.h"
#include "golden_records.h"

#include <jansson.h>
#include <string.h>

static bool is_whole(const char *text, size_t size, size_t count)
{
	json_t *array = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	bool whole = json_is_array(array) && json_array_size(array) == count && text[size - 1] == '\n';

	for (size_t i = 0; whole && i < count; i++)
		whole = json_is_string(json_object_get(json_array_get(array, i), "serialNumber"));
	json_decref(array);
	return whole;
}

int main(void)
{
	static const struct exporter_facts facts = {
		.file = PEP_TEST_PLUGIN_DIR "/json.so",
		.golden = golden_records,
		.golden_count = GOLDEN_RECORD_COUNT,
		.golden_file = PEP_TEST_SOURCE_DIR "/tests/conformance/golden/identities.json",
		.is_whole = is_whole,
	};

	return exporter_suite_run(&facts);
}
