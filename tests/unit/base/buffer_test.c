/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_holds(const struct buffer *buffer, const char *text)
{
	assert_false(buffer->failed);
	assert_int_equal(buffer->size, strlen(text));
	assert_memory_equal(buffer->data, text, buffer->size);
}

static void it_grows(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 100000);
	for (unsigned i = 0; i < 100000; i++)
		buffer_byte(&buffer, (char)i);
	assert_false(buffer.failed);
	assert_int_equal(buffer.size, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(buffer.data[i], (char)i);
	buffer_fini(&buffer);
	assert_null(buffer.data);
	assert_int_equal(buffer.limit, 100000);
}

static void the_limit_is_kept_and_remembered(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 5);
	buffer_text(&buffer, "12345");
	assert_holds(&buffer, "12345");
	buffer_append(&buffer, "", 0);
	assert_holds(&buffer, "12345");
	buffer_byte(&buffer, '6');
	assert_true(buffer.failed);
	assert_int_equal(buffer.size, 5);
	buffer_append(&buffer, "", 0);
	assert_true(buffer.failed);
	assert_null(buffer_reserve(&buffer, 0));
	buffer_fini(&buffer);
	assert_false(buffer.failed);
	buffer_append(&buffer, "x", SIZE_MAX);
	assert_true(buffer.failed);
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
}

static void no_half_append(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 10);
	buffer_text(&buffer, "123456");
	buffer_text(&buffer, "12345");
	assert_true(buffer.failed);
	assert_int_equal(buffer.size, 6);
	buffer_fini(&buffer);
}

static void room_for_the_caller_to_fill(void **state)
{
	struct buffer buffer;
	char *end;

	(void)state;
	buffer_init(&buffer, 2000);
	buffer_text(&buffer, "ab");
	end = buffer_reserve(&buffer, 1998);
	assert_non_null(end);
	memset(end, 'c', 1998);
	buffer.size += 1998;
	assert_memory_equal(buffer.data, "abccc", 5);
	assert_null(buffer_reserve(&buffer, 1));
	buffer_fini(&buffer);
}

static void formats_and_numbers(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 1000);
	buffer_number(&buffer, INT64_MIN);
	buffer_byte(&buffer, ' ');
	buffer_number(&buffer, INT64_MAX);
	buffer_format(&buffer, " %s=%u", "x", 1U);
	buffer_format(&buffer, "%s", "");
	assert_holds(&buffer, "-9223372036854775808 9223372036854775807 x=1");
	buffer_format(&buffer, "%2000d", 1);
	assert_true(buffer.failed);
	assert_int_equal(buffer.size, 44);
	buffer_fini(&buffer);
}

struct json_case {
	const char *text, *json;
};

static void json_texts(void **state)
{
	static const struct json_case cases[] = {
		{NULL, "null"},
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"\"", "\"\\\"\""},
		{"\\", "\"\\\\\""},
		{"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
		{"\x01\x1f", "\"\\u0001\\u001f\""},
		{"\x7f", "\"\\u007f\""},
		{"/", "\"/\""},
		{"a\"b\\c\nd", "\"a\\\"b\\\\c\\nd\""},
		{"Ger\xc3\xa4t", "\"Ger\xc3\xa4t\""},
		{"\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"\xc2\x80\xc2\x85\xc2\x9b\xc2\x9f", "\"\\u0080\\u0085\\u009b\\u009f\""}, /* C1: NEL, CSI */
		{"\xc2\xa0", "\"\xc2\xa0\""},                                             /* the first behind C1 */
		{"\xc3\x80", "\"\xc3\x80\""},
		{"x\xc2", "\"x\xc2\""}, /* a text that is cut is the caller's affair; never read beyond its end */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer buffer;

		buffer_init(&buffer, 100);
		buffer_json_text(&buffer, cases[i].text);
		assert_holds(&buffer, cases[i].json);
		buffer_fini(&buffer);
	}
}

static void every_limit_of_a_json_text(void **state)
{
	(void)state;
	for (size_t limit = 0; limit < 30; limit++) {
		struct buffer buffer;

		buffer_init(&buffer, limit);
		buffer_json_text(&buffer, "a\x01z\"\xc2\x85");
		assert_int_equal(buffer.failed, limit < 18); /* escapes want room for a NUL, which the end gives back */
		assert_true(buffer.size <= limit);
		buffer_fini(&buffer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows),
		cmocka_unit_test(the_limit_is_kept_and_remembered),
		cmocka_unit_test(no_half_append),
		cmocka_unit_test(room_for_the_caller_to_fill),
		cmocka_unit_test(formats_and_numbers),
		cmocka_unit_test(json_texts),
		cmocka_unit_test(every_limit_of_a_json_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
