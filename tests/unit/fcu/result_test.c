/* SPDX-License-Identifier: Apache-2.0
 *
 * result_test.c - what the runner writes is what the plugin reads; what is damaged is not believed.
 */
#include "plugins/injector/fcu/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "A-00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

static struct result make(enum result_end end, int number, const char *identity, const char *output)
{
	struct result result = {
		.serial = "GW 1 '\"$x", .end = end, .number = number, .output = output, .output_size = strlen(output)};

	if (identity) {
		result.found.identities = 1;
		(void)snprintf(result.found.identity, sizeof(result.found.identity), "%s", identity);
	}
	return result;
}

static void what_is_printed_is_read(void **state)
{
	const struct result results[] = {
		make(RESULT_EXITED, 0, ID, "Connecting\nend\nfound 2 whole x\noutput\n"),
		make(RESULT_EXITED, 255, NULL, ""),
		make(RESULT_SIGNALLED, 9, NULL, "x"),
		make(RESULT_OVERDUE, 15, ID, "no newline"),
		make(RESULT_CANCELLED, 15, NULL, "\n\n"),
		make(RESULT_NOT_STARTED, 2, NULL, ""),
	};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		struct result copy = results[i];
		struct result read;
		size_t size;

		copy.found.malformed = i % 2;
		size = result_print(&copy, text, sizeof(text));
		assert_true(size > 0);
		assert_true(result_read(text, size, &read));
		assert_string_equal(read.serial, copy.serial);
		assert_int_equal(read.end, copy.end);
		assert_int_equal(read.number, copy.number);
		assert_int_equal(read.found.identities, copy.found.identities);
		assert_int_equal(read.found.malformed, copy.found.malformed);
		assert_string_equal(read.found.identity, copy.found.identity);
		assert_int_equal(read.output_size, copy.output_size);
		assert_memory_equal(read.output, copy.output, copy.output_size);
	}
}

static void output_loses_its_beginning(void **state)
{
	struct result result = make(RESULT_EXITED, 1, NULL, "0123456789");
	char text[256];
	size_t head = result_print(&result, text, sizeof(text)) - 10;
	struct result read;

	(void)state;
	assert_int_equal(result_print(&result, text, head + 4), head + 4);
	assert_true(result_read(text, head + 4, &read));
	assert_int_equal(read.output_size, 4);
	assert_memory_equal(read.output, "6789", 4);
	assert_int_equal(result_print(&result, text, head), 0);
	assert_int_equal(result_print(&result, text, 10), 0);
}

/* Cut anywhere before its output, it is no result; in memory of its exact size. */
static void what_is_cut_is_refused(void **state)
{
	struct result result = make(RESULT_EXITED, 0, ID, "");
	char text[512];
	size_t size = result_print(&result, text, sizeof(text));
	struct result read;

	(void)state;
	assert_true(result_read(text, size, &read));
	for (size_t cut = 0; cut < size; cut++) {
		char *piece = malloc(cut ? cut : 1);

		assert_non_null(piece);
		memcpy(piece, text, cut);
		assert_false(result_read(piece, cut, &read));
		free(piece);
	}
}

static void what_is_damaged_is_refused(void **state)
{
	static const char *const texts[] = {
		"pep-fcu-run 2\nserial S\nend exited 0\nfound 0 whole -\noutput\n",
		"pep-fcu-run 1\nserial S\r\nend exited 0\nfound 0 whole -\noutput\n",
		"pep-fcu-run 1\nserial\nend exited 0\nfound 0 whole -\noutput\n",
		"pep-fcu-run 1\nserial S\nend exited\nfound 0 whole -\noutput\n",
		"pep-fcu-run 1\nserial S\nend exited -1\nfound 0 whole -\noutput\n",
		"pep-fcu-run 1\nserial S\nend exited 0x\nfound 0 whole -\noutput\n",
		"pep-fcu-run 1\nserial S\nend exited 99999999999\nfound 0 whole -\noutput\n",
		"pep-fcu-run 1\nserial S\nend well 0\nfound 0 whole -\noutput\n",
		("pep-fcu-run 1\nserial S\nend exited 0\nfound 3 whole " ID "\noutput\n"),
		("pep-fcu-run 1\nserial S\nend exited 0\nfound 0 whole " ID "\noutput\n"),
		"pep-fcu-run 1\nserial S\nend exited 0\nfound 1 whole -\noutput\n",
		"pep-fcu-run 1\nserial S\nend exited 0\nfound 1 whole A-00\noutput\n",
		("pep-fcu-run 1\nserial S\nend exited 0\nfound 1 hole " ID "\noutput\n"),
		"pep-fcu-run 1\nserial S\nend exited 0\nfound 1\noutput\n",
		"pep-fcu-run 1\nserial S\nend exited 0\nfound 0 whole -\nOutput\n",
	};
	struct result read;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (result_read(texts[i], strlen(texts[i]), &read))
			fail_msg("text %zu was read", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_read),
		cmocka_unit_test(output_loses_its_beginning),
		cmocka_unit_test(what_is_cut_is_refused),
		cmocka_unit_test(what_is_damaged_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
