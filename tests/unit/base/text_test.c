/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct utf8_case {
	const char *text;
	size_t size; /* 0: strlen() */
	bool utf8, printable;
};

/* The edges of the table in RFC 3629, section 4. */
static const struct utf8_case utf8_cases[] = {
	{"", 0, true, true},
	{"plain ~", 0, true, true},
	{"\0", 1, true, false},
	{"a\0b", 3, true, false},
	{"\x1f", 0, true, false},
	{" ", 0, true, true},
	{"\x7e", 0, true, true},
	{"\x7f", 0, true, false},
	{"\x80", 0, false, false},
	{"\xbf", 0, false, false},
	{"\xc0\x80", 0, false, false}, /* over-long NUL */
	{"\xc1\xbf", 0, false, false},
	{"\xc2\x80", 0, true, false}, /* C1 */
	{"\xc2\x9f", 0, true, false},
	{"\xc2\xa0", 0, true, true},
	{"\xdf\xbf", 0, true, true},
	{"\xc2", 0, false, false},
	{"\xc2x", 0, false, false},
	{"\xc2\xc0", 0, false, false},
	{"\xe0\x80\x80", 0, false, false},
	{"\xe0\x9f\xbf", 0, false, false}, /* over-long */
	{"\xe0\xa0\x80", 0, true, true},
	{"\xe1\x80", 0, false, false},
	{"\xe1\x80x", 0, false, false},
	{"\xed\x9f\xbf", 0, true, true},
	{"\xed\xa0\x80", 0, false, false}, /* surrogates */
	{"\xed\xbf\xbf", 0, false, false},
	{"\xee\x80\x80", 0, true, true},
	{"\xef\xbf\xbf", 0, true, true},
	{"\xf0\x80\x80\x80", 0, false, false},
	{"\xf0\x8f\xbf\xbf", 0, false, false}, /* over-long */
	{"\xf0\x90\x80\x80", 0, true, true},
	{"\xf0\x90\x80", 0, false, false},
	{"\xf4\x8f\xbf\xbf", 0, true, true},
	{"\xf4\x90\x80\x80", 0, false, false}, /* beyond U+10FFFF */
	{"\xf5\x80\x80\x80", 0, false, false},
	{"\xff", 0, false, false},
	{"\xfe", 0, false, false},
	{"good\xe2\x82", 0, false, false},
	{"\xe2\x82\xac", 2, false, false}, /* cut by its size */
	{"good\nbad", 0, true, false},
};

static void utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(utf8_cases) / sizeof(utf8_cases[0]); i++) {
		const struct utf8_case *one = &utf8_cases[i];
		size_t size = one->size ? one->size : strlen(one->text);

		if (text_is_utf8(one->text, size) != one->utf8 || text_is_printable(one->text, size) != one->printable)
			fail_msg("case %zu of utf8_cases", i);
	}
}

/* Every code point, encoded by the rule, and every way to shorten it. */
static void every_code_point(void **state)
{
	(void)state;
	for (uint32_t point = 0x80; point <= 0x10ffff; point++) {
		char text[4];
		size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
		bool good = point < 0xd800 || point > 0xdfff;

		for (size_t i = size - 1; i > 0; i--)
			text[i] = (char)(0x80 | (point >> 6 * (size - 1 - i) & 0x3f));
		text[0] = (char)((0xff00U >> size & 0xff) | point >> 6 * (size - 1));
		assert_true(text_is_utf8(text, size) == good);
		assert_true(text_is_printable(text, size) == (good && point > 0x9f));
		assert_false(text_is_utf8(text, size - 1));
	}
}

struct number_case {
	const char *text;
	int64_t min, max;
	bool good;
	int64_t number;
};
static const struct number_case number_cases[] = {
	{"0", 0, 10, true, 0},
	{"1", 1, 65535, true, 1},
	{"65535", 1, 65535, true, 65535},
	{"65536", 1, 65535, false, 0},
	{"0", 1, 65535, false, 0},
	{"", 0, 10, false, 0},
	{"00", 0, 10, false, 0},
	{"01", 0, 10, false, 0},
	{"-1", -5, 10, false, 0},
	{"+1", 0, 10, false, 0},
	{" 1", 0, 10, false, 0},
	{"1 ", 0, 10, false, 0},
	{"1x", 0, 10, false, 0},
	{"0x1", 0, 10, false, 0},
	{"1.0", 0, 10, false, 0},
	{"1e1", 0, 10, false, 0},
	{"\xef\xbc\x91", 0, 10, false, 0}, /* a full-width one */
	{"9223372036854775807", 0, INT64_MAX, true, INT64_MAX},
	{"9223372036854775800", 0, INT64_MAX, true, INT64_MAX - 7},
	{"9223372036854775808", 0, INT64_MAX, false, 0},
	{"18446744073709551616", 0, INT64_MAX, false, 0},
	{"18446744073709551617", 0, INT64_MAX, false, 0},
	{"99999999999999999999999999", 0, INT64_MAX, false, 0},
};

static void numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(number_cases) / sizeof(number_cases[0]); i++) {
		const struct number_case *one = &number_cases[i];
		int64_t number = -77;

		if (text_to_number(one->text, one->min, one->max, &number) != one->good ||
		    number != (one->good ? one->number : -77)) /* written on success only */
			fail_msg("number \"%s\"", one->text);
	}
}

static void equality(void **state)
{
	(void)state;
	assert_true(text_equal(NULL, NULL));
	assert_false(text_equal(NULL, ""));
	assert_false(text_equal("", NULL));
	assert_true(text_equal("", ""));
	assert_true(text_equal("a", "a"));
	assert_false(text_equal("a", "A"));
	assert_false(text_equal("a", "ab"));
}

static void hex_and_hashes(void **state)
{
	char hex[65];

	(void)state;
	text_hex("\x00\x7f\xff", 3, hex);
	assert_string_equal(hex, "007fff");
	text_hex("", 0, hex);
	assert_string_equal(hex, "");
	/* FIPS 180-4's examples. */
	text_sha256("", 0, hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	text_sha256("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void random_texts(void **state)
{
	char a[129];
	char b[129];

	(void)state;
	for (size_t size = 16; size <= 64; size++) {
		text_random(size, a);
		text_random(size, b);
		assert_int_equal(strlen(a), 2 * size);
		assert_int_equal(strspn(a, "0123456789abcdef"), 2 * size);
		assert_string_not_equal(a, b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8),     cmocka_unit_test(every_code_point), cmocka_unit_test(numbers),
		cmocka_unit_test(equality), cmocka_unit_test(hex_and_hashes),   cmocka_unit_test(random_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
