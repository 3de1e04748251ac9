/* SPDX-License-Identifier: Apache-2.0 */
#include "member.h"

#include <string.h>

void member_bytes(struct json_object *object, const char *bytes, size_t size)
{
	if (size > (size_t)(object->end - object->next)) {
		object->full = true;
		return;
	}
	memcpy(object->next, bytes, size);
	object->next += size;
}

static void write_key(struct json_object *object, const char *key)
{
	if (object->any)
		member_bytes(object, ",", 1);
	member_bytes(object, "\"", 1);
	member_bytes(object, key, strlen(key));
	member_bytes(object, "\":", 2);
	object->any = true;
}

/* How many bytes the well-formed character at `text` has (RFC 3629, section 4); 0: none. Stops at the NUL by itself. */
static size_t character_size(const unsigned char *text)
{
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	size_t size = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	if (text[0] == 0xe0)
		low = 0xa0;
	if (text[0] == 0xed)
		high = 0x9f;
	if (text[0] == 0xf0)
		low = 0x90;
	if (text[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < size; i++) {
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return size;
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* The character at `text`, which is not plain; returns how many bytes it took. */
static size_t write_special(struct json_object *object, const unsigned char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t size = character_size(text);

	if (size > 1) {
		member_bytes(object, (const char *)text, size);
		return size;
	}
	if (size == 0)
		member_bytes(object, "\xef\xbf\xbd", 3);
	else if (*text == '"' || *text == '\\')
		member_bytes(object, (const char[]){'\\', (char)*text}, 2);
	else
		member_bytes(object, (const char[]){'\\', 'u', '0', '0', digits[*text >> 4], digits[*text & 15]}, 6);
	return 1;
}

static void write_string(struct json_object *object, const char *string)
{
	const unsigned char *text = (const unsigned char *)string;

	member_bytes(object, "\"", 1);
	while (*text) {
		const unsigned char *start = text;

		while (is_plain(*text))
			text++;
		member_bytes(object, (const char *)start, (size_t)(text - start));
		if (*text)
			text += write_special(object, text);
	}
	member_bytes(object, "\"", 1);
}

void member_text(struct json_object *object, const char *key, const char *text)
{
	if (!text)
		return;
	write_key(object, key);
	write_string(object, text);
}

/* Only digits in groups that JSON takes as numbers, with single commas between them. */
static bool is_bytes_list(const char *text)
{
	for (;;) {
		size_t size = strspn(text, "0123456789");
		unsigned number = 0;

		if (size < 1 || size > 3 || (text[0] == '0' && size > 1))
			return false;
		for (size_t i = 0; i < size; i++)
			number = number * 10 + (unsigned)(text[i] - '0');
		if (number > 255 || (text[size] && text[size] != ','))
			return false;
		if (!text[size])
			return true;
		text += size + 1;
	}
}

void member_bytes_list(struct json_object *object, const char *key, const char *text)
{
	if (!text)
		return;
	if (!is_bytes_list(text)) {
		member_text(object, key, text);
		return;
	}
	write_key(object, key);
	member_bytes(object, "[", 1);
	member_bytes(object, text, strlen(text));
	member_bytes(object, "]", 1);
}

void member_number(struct json_object *object, const char *key, int64_t number)
{
	char digits[24];
	char *first = digits + sizeof(digits);
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do {
		*--first = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		*--first = '-';
	write_key(object, key);
	member_bytes(object, first, (size_t)(digits + sizeof(digits) - first));
}

void member_bool(struct json_object *object, const char *key, bool value)
{
	write_key(object, key);
	member_bytes(object, value ? "true" : "false", value ? 4 : 5);
}
