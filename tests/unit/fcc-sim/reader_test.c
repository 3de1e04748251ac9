/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WHOLE(text) reader_is_whole((const uint8_t *)(text), sizeof(text) - 1)

/* The first item of a text of bytes. */
static bool take(const char *bytes, size_t size, struct reader_item *ret_item, size_t *ret_read)
{
	struct reader reader = {(const uint8_t *)bytes, (const uint8_t *)bytes + size};
	bool taken = reader_take(&reader, ret_item);

	*ret_read = (size_t)(reader.next - (const uint8_t *)bytes);
	return taken;
}

static void assert_number(const char *bytes, size_t size, enum reader_kind kind, uint64_t number)
{
	struct reader_item item;
	size_t read;

	assert_true(take(bytes, size, &item, &read));
	assert_int_equal(item.kind, kind);
	assert_int_equal(item.number, number);
	assert_int_equal(read, size);
}

static void numbers_of_every_size(void **state)
{
	(void)state;
	assert_number("\x17", 1, READER_UINT, 23);
	assert_number("\x18\x01", 2, READER_UINT, 1);
	assert_number("\x19\x01\x02", 3, READER_UINT, 0x102);
	assert_number("\x1a\x01\x02\x03\x04", 5, READER_UINT, 0x1020304);
	assert_number("\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 9, READER_UINT, UINT64_MAX);
	assert_number("\x20", 1, READER_NEGINT, 0);
	assert_number("\x38\xff", 2, READER_NEGINT, 255);
	assert_number("\x39\x01\x00", 3, READER_NEGINT, 256);
	assert_number("\x3a\x00\x01\x00\x00", 5, READER_NEGINT, 65536);
	assert_number("\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9, READER_NEGINT, UINT64_MAX);
	assert_number("\xf5", 1, READER_OTHER, 0);
	assert_number("\xf6", 1, READER_OTHER, 0);
	assert_number("\xf9\x3c\x00", 3, READER_OTHER, 0);
	assert_number("\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00", 9, READER_OTHER, 0);
}

static void strings(void **state)
{
	struct reader_item item;
	size_t read;

	(void)state;
	assert_true(take("\x63"
			 "abc"
			 "d",
			 5, &item, &read));
	assert_int_equal(item.kind, READER_TEXT);
	assert_int_equal(read, 4);
	assert_true(span_equal(item.string, span_text("abc")));
	assert_true(take("\x58\x02"
			 "ab",
			 4, &item, &read));
	assert_int_equal(item.kind, READER_BYTES);
	assert_true(span_equal(item.string, span_text("ab")));
	assert_true(take("\x40", 1, &item, &read));
	assert_non_null(item.string.data);
	assert_int_equal(item.string.size, 0);
}

static void of_chunks_the_first_counts(void **state)
{
	struct reader_item item;
	size_t read;

	(void)state;
	assert_true(take("\x7f\x62"
			 "ab"
			 "\x61"
			 "c"
			 "\xff",
			 7, &item, &read));
	assert_int_equal(read, 7);
	assert_true(span_equal(item.string, span_text("ab")));
	assert_true(take("\x7f\xff", 2, &item, &read));
	assert_non_null(item.string.data);
	assert_int_equal(item.string.size, 0);
	assert_true(take("\x7f\x60\x61"
			 "c"
			 "\xff",
			 5, &item, &read));
	assert_int_equal(item.string.size, 0);
	assert_false(WHOLE("\x7f\x41"
			   "a"
			   "\xff"));
	assert_false(WHOLE("\x7f\x7f\xff\xff"));
	assert_false(WHOLE("\x7f\x01\xff"));
	assert_false(WHOLE("\x5f\x41"
			   "a"));
}

static void containers_hold_what_is_in_them(void **state)
{
	struct reader_item map, key, value;
	size_t read;

	(void)state;
	assert_true(take("\xbf\x61"
			 "a"
			 "\x82\x01\x02\xff\x09",
			 8, &map, &read));
	assert_int_equal(read, 7);
	assert_int_equal(map.kind, READER_MAP);
	assert_true(map.indefinite);
	assert_true(reader_take(&map.inside, &key));
	assert_true(reader_take(&map.inside, &value));
	assert_true(reader_at_end(&map.inside));
	assert_false(reader_take(&map.inside, &key));
	assert_int_equal(value.kind, READER_ARRAY);
	assert_int_equal(value.number, 2);
	assert_true(reader_take(&value.inside, &key));
	assert_true(reader_take(&value.inside, &key));
	assert_int_equal(key.number, 2);
	assert_true(reader_at_end(&value.inside));
}

static void malformed(void **state)
{
	(void)state;
	assert_true(WHOLE("\xa0"));
	assert_true(WHOLE("\xc2\x41\x01"));
	assert_false(WHOLE(""));
	assert_false(WHOLE("\xa0\x00"));
	assert_false(WHOLE("\xff"));
	assert_false(WHOLE("\x81\xff"));
	assert_false(WHOLE("\xa1\x01\xff"));
	assert_false(WHOLE("\xbf\x01\xff"));
	assert_false(WHOLE("\xc2"));
	assert_false(WHOLE("\x9f\x01"));
	assert_false(WHOLE("\x62"
			   "a"));
	assert_false(WHOLE("\x1c"));
	assert_false(WHOLE("\x3f"));
	assert_false(WHOLE("\xdf\x00\xff"));
}

static void counts_that_cannot_be_true(void **state)
{
	(void)state;
	assert_false(WHOLE("\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x00"));
	assert_false(WHOLE("\xbb\x80\x00\x00\x00\x00\x00\x00\x00\x00"));
	assert_false(WHOLE("\xbb\x80\x00\x00\x00\x00\x00\x00\x01\x00\x00"));
	assert_false(WHOLE("\x7b\xff\xff\xff\xff\xff\xff\xff\xff"
			   "a"));
	assert_false(WHOLE("\x5b\x80\x00\x00\x00\x00\x00\x00\x00"));
}

static void depth_is_limited(void **state)
{
	uint8_t bytes[200000];

	(void)state;
	memset(bytes, 0x81, sizeof(bytes));
	bytes[READER_DEPTH_MAX] = 0x01;
	assert_true(reader_is_whole(bytes, READER_DEPTH_MAX + 1));
	bytes[READER_DEPTH_MAX] = 0x81;
	bytes[READER_DEPTH_MAX + 1] = 0x01;
	assert_false(reader_is_whole(bytes, READER_DEPTH_MAX + 2));
	memset(bytes, 0x9f, sizeof(bytes));
	assert_false(reader_is_whole(bytes, sizeof(bytes)));
	memset(bytes, 0xc1, sizeof(bytes));
	assert_false(reader_is_whole(bytes, sizeof(bytes)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_every_size),
		cmocka_unit_test(strings),
		cmocka_unit_test(of_chunks_the_first_counts),
		cmocka_unit_test(containers_hold_what_is_in_them),
		cmocka_unit_test(malformed),
		cmocka_unit_test(counts_that_cannot_be_true),
		cmocka_unit_test(depth_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
