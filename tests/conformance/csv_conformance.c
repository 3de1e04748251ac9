/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the csv exporter: its golden file, and a reader that knows when a file is whole.
 */
#include "exporter_suite.h"
#include "golden_records.h"

#include <string.h>

#define COLUMN_COUNT 10u

/* The field at *text; a quoted one may hold anything. False: broken. */
static bool skip_field(const char **text)
{
	if (**text != '"') {
		*text += strspn(*text, "truefalse0123456789-");
		return true;
	}
	for (*text += 1; **text; *text += 1) {
		if (**text != '"')
			continue;
		*text += 1;
		if (**text != '"')
			return true;
	}
	return false;
}

static bool skip_line(const char **text)
{
	for (unsigned column = 1; skip_field(text); column++) {
		if (**text == '\n' && column == COLUMN_COUNT) {
			*text += 1;
			return true;
		}
		if (**text != ',')
			return false;
		*text += 1;
	}
	return false;
}

static bool is_whole(const char *text, size_t size, size_t count)
{
	const char *end = text + size;

	for (size_t line = 0; line <= count; line++)
		if (!skip_line(&text))
			return false;
	return text == end;
}

int main(void)
{
	static const struct exporter_facts facts = {
		.file = PEP_TEST_PLUGIN_DIR "/csv.so",
		.golden = golden_records,
		.golden_count = GOLDEN_RECORD_COUNT,
		.golden_file = PEP_TEST_SOURCE_DIR "/tests/conformance/golden/identities.csv",
		.is_whole = is_whole,
	};

	return exporter_suite_run(&facts);
}
