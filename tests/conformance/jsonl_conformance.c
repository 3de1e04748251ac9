/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the jsonl exporter: its golden file, and a strict reader.
 */
#include "exporter_suite.h"
#include "golden_records.h"

#include <jansson.h>
#include <string.h>

static bool is_whole(const char *text, size_t size, size_t count)
{
	const char *end = text + size;

	for (size_t i = 0; i < count; i++) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		json_t *object = line_end ? json_loadb(text, (size_t)(line_end - text), JSON_REJECT_DUPLICATES, NULL) : NULL;
		bool is_good = json_is_string(json_object_get(object, "serialNumber"));

		json_decref(object);
		if (!is_good)
			return false;
		text = line_end + 1;
	}
	return text == end;
}

int main(void)
{
	static const struct exporter_facts facts = {
		.file = PEP_TEST_PLUGIN_DIR "/jsonl.so",
		.golden = golden_records,
		.golden_count = GOLDEN_RECORD_COUNT,
		.golden_file = PEP_TEST_SOURCE_DIR "/tests/conformance/golden/identities.jsonl",
		.is_whole = is_whole,
	};

	return exporter_suite_run(&facts);
}
