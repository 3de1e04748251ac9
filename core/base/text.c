/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The bytes of the character that starts at `text`, 0 if there is none; *ret_point is its code point. */
static size_t utf8_character(const unsigned char *text, size_t size, uint32_t *ret_point)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t point = text[0];
	size_t length;

	if (point < 0x80) {
		*ret_point = point;
		return 1;
	}
	length = point >= 0xf0 ? 4 : point >= 0xe0 ? 3 : 2;
	if (point < 0xc2 || point > 0xf4 || length > size)
		return 0;
	point &= 0xffu >> (length + 1);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3fu);
	}
	if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return length;
}

static bool check(const char *text, size_t size, bool controls)
{
	for (size_t i = 0; i < size;) {
		uint32_t point;
		size_t length = utf8_character((const unsigned char *)text + i, size - i, &point);

		if (!length || (!controls && (point < 0x20 || (point >= 0x7f && point <= 0x9f))))
			return false;
		i += length;
	}
	return true;
}

bool text_is_printable(const char *text, size_t size)
{
	return check(text, size, false);
}

bool text_is_utf8(const char *text, size_t size)
{
	return check(text, size, true);
}

bool text_to_number(const char *text, int64_t min, int64_t max, int64_t *ret_number)
{
	int64_t number = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, *text - '0', &number))
			return false;
	}
	if (number < min || number > max)
		return false;
	*ret_number = number;
	return true;
}

bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

void text_hex(const void *data, size_t size, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++) {
		ret_hex[2 * i] = digits[bytes[i] >> 4];
		ret_hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_hex[2 * size] = '\0';
}

void text_random(size_t size, char *ret_hex)
{
	unsigned char bytes[64];

	if (size > sizeof(bytes) || getrandom(bytes, size, 0) != (ssize_t)size)
		abort();
	text_hex(bytes, size, ret_hex);
}

void text_sha256(const void *data, size_t size, char ret_hex[65])
{
	struct sha256_ctx context;
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_init(&context);
	sha256_update(&context, size, data);
	sha256_digest(&context, sizeof(digest), digest);
	text_hex(digest, sizeof(digest), ret_hex);
}
