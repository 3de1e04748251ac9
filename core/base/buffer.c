/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256u

void buffer_init(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){.limit = limit};
}

void buffer_fini(struct buffer *buffer)
{
	free(buffer->data);
	buffer_init(buffer, buffer->limit);
}

char *buffer_reserve(struct buffer *buffer, size_t size)
{
	size_t room = buffer->room ? buffer->room : FIRST_ROOM;
	char *data;

	if (buffer->failed || size > buffer->limit - buffer->size) {
		buffer->failed = true;
		return NULL;
	}
	if (buffer->room - buffer->size >= size)
		return buffer->data + buffer->size;
	while (room - buffer->size < size)
		room *= 2;
	data = realloc(buffer->data, room);
	if (!data) {
		buffer->failed = true;
		return NULL;
	}
	buffer->data = data;
	buffer->room = room;
	return data + buffer->size;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	char *end = buffer_reserve(buffer, size);

	if (end && size) {
		memcpy(end, data, size);
		buffer->size += size;
	}
}

void buffer_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void buffer_byte(struct buffer *buffer, char byte)
{
	buffer_append(buffer, &byte, 1);
}

/* Not by printf: a log line and a list entry are full of numbers. */
void buffer_number(struct buffer *buffer, int64_t number)
{
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	char digits[20];
	size_t start = sizeof(digits);

	do {
		digits[--start] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		digits[--start] = '-';
	buffer_append(buffer, digits + start, sizeof(digits) - start);
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	va_list again;
	char *end = NULL;
	int size;

	va_start(args, format);
	va_copy(again, args);
	size = vsnprintf(NULL, 0, format, args);
	if (size < 0)
		buffer->failed = true;
	else
		end = buffer_reserve(buffer, (size_t)size + 1);
	if (end) {
		(void)vsnprintf(end, (size_t)size + 1, format, again);
		buffer->size += (size_t)size;
	}
	va_end(again);
	va_end(args);
}

/* U+0080 to U+009F: what terminals take for commands, and some viewers for the end of a line. */
static bool is_c1(const char *text)
{
	return (unsigned char)text[0] == 0xc2 && ((unsigned char)text[1] & 0xe0) == 0x80;
}

/* How many bytes from `text` on need no escape. */
static size_t plain_size(const char *text)
{
	size_t size = 0;

	while ((unsigned char)text[size] >= 0x20 && text[size] != '"' && text[size] != '\\' && text[size] != 0x7f &&
	       !is_c1(text + size))
		size++;
	return size;
}

static void escape(struct buffer *buffer, char byte)
{
	static const char names[] = "\b\f\n\r\t";
	const char *name = strchr(names, byte);

	if (byte == '"' || byte == '\\')
		buffer_format(buffer, "\\%c", byte);
	else if (name)
		buffer_format(buffer, "\\%c", "bfnrt"[name - names]);
	else
		buffer_format(buffer, "\\u%04x", (unsigned)(unsigned char)byte);
}

void buffer_json_text(struct buffer *buffer, const char *text)
{
	if (!text) {
		buffer_text(buffer, "null");
		return;
	}
	buffer_byte(buffer, '"');
	for (;;) {
		size_t size = plain_size(text);

		buffer_append(buffer, text, size);
		text += size;
		if (!*text)
			break;
		if (is_c1(text))
			text++; /* its second byte is the code point */
		escape(buffer, *text++);
	}
	buffer_byte(buffer, '"');
}
