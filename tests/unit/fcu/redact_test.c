/* SPDX-License-Identifier: Apache-2.0
 *
 * redact_test.c - what is taken out of an output before it is written anywhere, and the end of a stream that is too long.
 */
#include "plugins/injector/fcu/redact.h"
#include "plugins/injector/fcu/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "A-00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"
#define BEGIN "-----BEGIN EC PRIVATE KEY-----"
#define END "-----END EC PRIVATE KEY-----"

static const char *const secrets[] = {"canary-0000", "canary", "abc", NULL};

static const struct {
	const char *text, *expected;
} samples[] = {
	{"", ""},
	{"Connecting to device 10.0.0.1:7777\n", "Connecting to device 10.0.0.1:7777\n"},
	{"enrollment id: " ID "\n", "enrollment id: " ID "\n"},
	{"a\n" BEGIN "\nMHcCAQ\nEE==\n" END "\nb\n", "a\n***\nb\n"},
	{BEGIN "\nMHcCAQ\n" END "\n" BEGIN "\nMHcCAQ\n" END, "***\n***"},
	{"EE==\n" END "\nb\n", "***\nb\n"},   /* its beginning was cut off */
	{"a\n" BEGIN "\nMHcCAQ\n", "a\n***"}, /* its end did not come */
	{"key='" BEGIN "\\nMHc\\n" END "'\nb", "***\nb"},
	{"-----BEGIN CERTIFICATE-----\nshort\n-----END CERTIFICATE-----\n",
	 "-----BEGIN CERTIFICATE-----\nshort\n-----END CERTIFICATE-----\n"},
	{"pin=canary-0000!", "pin=***!"},
	{"pin=canary canary-0001", "pin=*** ***-0001"},
	{"abc", "abc"}, /* too short to be looked for */
	{"/usr/lib/python3/dist-packages/somewhere/else.py", "/usr/lib/python3/dist-packages/somewhere/else.py"},
	{"0123456789012345678901234567890123456789.", "***."},
	{"012345678901234567890123456789012345678.", "012345678901234567890123456789012345678."},
	{"b'\\x30\\x81\\x87\\x02\\x01\\x00\\x30\\x13\\x06\\x07'", "b'***'"},
	{"a\tb\x1b[1m\x7f\r\n", "a?b?[1m??\n"},
};

static void samples_are_redacted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t size = strlen(samples[i].text);
		char *text = malloc(size + 1);
		size_t left;

		assert_non_null(text);
		memcpy(text, samples[i].text, size + 1);
		left = redact_text(text, size, secrets);
		if (left != strlen(samples[i].expected) || memcmp(text, samples[i].expected, left) != 0)
			fail_msg("sample %zu: \"%.*s\"", i, (int)left, text);
		free(text);
	}
}

static void nul_bytes_are_no_marks(void **state)
{
	char text[] = "a\0b\0\0\0c";
	size_t size = redact_text(text, sizeof(text) - 1, secrets);

	(void)state;
	assert_int_equal(size, 7);
	assert_memory_equal(text, "a?b???c", 7);
}

static struct tail *feed(const char *text, size_t size, size_t piece)
{
	struct tail *tail = calloc(1, sizeof(*tail));

	assert_non_null(tail);
	for (size_t at = 0; at < size; at += piece)
		tail_feed(tail, text + at, size - at < piece ? size - at : piece);
	tail_end(tail);
	return tail;
}

static void a_tail_holds_whole_lines(void **state)
{
	static const size_t pieces[] = {1, 7, 4096, 16384, 32768, 65536, 200000};
	char *text = malloc(200000);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 200000; i++)
		text[i] = (char)(i % 100 == 99 ? '\n' : 'a' + i / 100 % 26);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct tail *tail = feed(text, 200000, pieces[i]);

		assert_true(tail->is_cut);
		assert_int_equal(tail->size, TAIL_SIZE / 100 * 100);
		assert_memory_equal(tail->data, text + 200000 - tail->size, tail->size);
		free(tail);
	}
	free(text);
}

static void a_short_stream_is_its_own_tail(void **state)
{
	struct tail *tail = feed("half a line", 11, 4);

	(void)state;
	assert_false(tail->is_cut);
	assert_int_equal(tail->size, 11);
	assert_memory_equal(tail->data, "half a line", 11);
	free(tail);
}

/* No line of it is whole: nothing could be found in what is left. */
static void one_endless_line_leaves_nothing(void **state)
{
	char *text = malloc(100000);
	struct tail *tail;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 100000);
	tail = feed(text, 100000, 999);
	assert_int_equal(tail->size, 0);
	assert_true(tail->is_cut);
	free(tail);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_redacted),
		cmocka_unit_test(nul_bytes_are_no_marks),
		cmocka_unit_test(a_tail_holds_whole_lines),
		cmocka_unit_test(a_short_stream_is_its_own_tail),
		cmocka_unit_test(one_endless_line_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
