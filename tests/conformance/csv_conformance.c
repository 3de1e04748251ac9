/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the csv exporter: its golden file, and a reader that knows when a file is whole.
 */
#include "exporter_suite.h"
#include "golden_records.h"

#include <string.h>

#define LEGACY_COLUMNS 10u
#define INVENTORY_COLUMNS 21u

/* The field at *text; a quoted one may hold anything, a bare one of legacy only numbers and truths. False: broken. */
static bool skip_field(const char **text, unsigned columns)
{
	if (**text != '"') {
		*text += columns == LEGACY_COLUMNS ? strspn(*text, "truefalse0123456789-") : strcspn(*text, ",\"\r\n");
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

/* Lines of legacy end with LF, as the original's did; others as RFC 4180 has it. */
static bool skip_line(const char **text, unsigned columns)
{
	const char *end = columns == LEGACY_COLUMNS ? "\n" : "\r\n";

	for (unsigned column = 1; skip_field(text, columns); column++) {
		if (column == columns && strncmp(*text, end, strlen(end)) == 0) {
			*text += strlen(end);
			return true;
		}
		if (**text != ',')
			return false;
		*text += 1;
	}
	return false;
}

static bool is_whole(const char *text, size_t size, size_t count, unsigned columns)
{
	const char *end = text + size;

	for (size_t line = 0; line <= count; line++)
		if (!skip_line(&text, columns))
			return false;
	return text == end;
}

static bool legacy_is_whole(const char *text, size_t size, size_t count)
{
	return is_whole(text, size, count, LEGACY_COLUMNS);
}

static bool inventory_is_whole(const char *text, size_t size, size_t count)
{
	return is_whole(text, size, count, INVENTORY_COLUMNS);
}

int main(void)
{
	static const union pep_value plain[] = {{.text = "legacy"}, {.flag = false}};
	static const union pep_value guarded[] = {{.text = "inventory"}, {.flag = true}};
	static const struct exporter_facts facts[] = {
		{.file = PEP_TEST_PLUGIN_DIR "/csv.so",
		 .values = plain,
		 .golden = golden_records,
		 .golden_count = GOLDEN_RECORD_COUNT,
		 .golden_file = PEP_TEST_SOURCE_DIR "/tests/conformance/golden/identities.csv",
		 .is_whole = legacy_is_whole},
		{.file = PEP_TEST_PLUGIN_DIR "/csv.so",
		 .values = plain,
		 .profile = "inventory",
		 .golden = golden_records,
		 .golden_count = GOLDEN_RECORD_COUNT,
		 .golden_file = PEP_TEST_SOURCE_DIR "/tests/conformance/golden/inventory.csv",
		 .is_whole = inventory_is_whole},
		{.file = PEP_TEST_PLUGIN_DIR "/csv.so",
		 .values = guarded,
		 .golden = golden_records,
		 .golden_count = GOLDEN_RECORD_COUNT,
		 .golden_file = PEP_TEST_SOURCE_DIR "/tests/conformance/golden/inventory_guarded.csv",
		 .is_whole = inventory_is_whole},
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		failed += exporter_suite_run(&facts[i]);
	return failed;
}
