/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/guard.h"

#include "core/base/text.h"

#include <string.h>
#include <strings.h>

void guard_init(struct guard *guard)
{
	guard->count = 0;
	guard->hosts = guard->lengths = guard->encodings = guard->ids = 0;
	guard->length = guard->encoding = guard->id = guard->next = guard->fault = NULL;
}

static void blame(struct guard *guard, const char *fault)
{
	if (!guard->fault)
		guard->fault = fault;
}

/* Does a line end at `end`? CR and LF were replaced by NULs. */
static void end_line(struct guard *guard, const char *end)
{
	if (end[0] != '\0' || end[1] != '\0')
		blame(guard, "a line of the head does not end in CR LF");
	guard->next = end + 2;
}

void guard_request_line(struct guard *guard, const char *method, const char *target, size_t target_size, const char *version)
{
	if (method + strlen(method) + 1 != target || target + target_size + 1 != version)
		blame(guard, "the request line is not METHOD SP TARGET SP VERSION");
	end_line(guard, version + strlen(version));
}

/* tchar of RFC 9110 5.6.2 */
static bool is_token(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-') &&
		    (c == '\0' || !strchr("!#$%&'*+.^_`|~", c)))
			return false;
	}
	return size > 0;
}

/* No control characters but tabs (RFC 9110 5.5). Bytes over 127 are allowed; nothing of ours looks at them. */
static bool is_field(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
			return false;
	return true;
}

static void note(unsigned *count, const char **ret_value, const char *value)
{
	++*count;
	*ret_value = value;
}

/* The few headers that framing and we ourselves depend on; told apart by length first, as this runs for every header. */
static void sort(struct guard *guard, const char *name, size_t size, const char *value)
{
	if (size == 4 && strcasecmp(name, "Host") == 0)
		guard->hosts++;
	else if (size == 14 && strcasecmp(name, "Content-Length") == 0)
		note(&guard->lengths, &guard->length, value);
	else if (size == 17 && strcasecmp(name, "Transfer-Encoding") == 0)
		note(&guard->encodings, &guard->encoding, value);
	else if (size == 12 && strcasecmp(name, "X-Request-Id") == 0)
		note(&guard->ids, &guard->id, value);
}

void guard_header(struct guard *guard, const char *name, size_t name_size, const char *value, size_t value_size)
{
	if (!value)
		value = "";
	if (guard->next) {
		if (name != guard->next || value <= name)
			blame(guard, "a header is continued on a second line, holds a NUL, or does not end in CR LF");
		end_line(guard, value + value_size);
	}
	if (!is_token(name, name_size))
		blame(guard, "the name of a header has a character that no name may have, or a space before its colon");
	if (!is_field(value, value_size))
		blame(guard, "the value of a header has a control character");
	if (guard->count < GUARD_HEADERS)
		guard->headers[guard->count] = (struct http_pair){name, value};
	guard->count++;
	sort(guard, name, name_size, value);
}

void guard_end(struct guard *guard, const char *end, bool needs_host)
{
	int64_t length;

	if (guard->next && end && guard->next + 2 != end)
		blame(guard, "a header is continued on a second line, holds a NUL, or does not end in CR LF");
	if (needs_host && guard->hosts == 0)
		blame(guard, "there is no Host header");
	if (guard->hosts > 1)
		blame(guard, "there is more than one Host header");
	if (guard->lengths > 1)
		blame(guard, "there is more than one Content-Length header");
	if (guard->encodings > 1)
		blame(guard, "there is more than one Transfer-Encoding header");
	if (guard->lengths && guard->encodings)
		blame(guard, "there are both Content-Length and Transfer-Encoding");
	if (guard->encodings && strcasecmp(guard->encoding, "chunked") != 0)
		blame(guard, "the only Transfer-Encoding that is understood is chunked");
	if (guard->lengths && !text_to_number(guard->length, 0, INT64_MAX, &length))
		blame(guard, "Content-Length is not a whole number");
}

size_t guard_body_size(const struct guard *guard)
{
	int64_t length = 0;

	if (guard->encodings)
		return SIZE_MAX;
	if (guard->lengths)
		(void)text_to_number(guard->length, 0, INT64_MAX, &length);
	return (size_t)length;
}
