/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/request.h"

#include "core/base/text.h"

#include <string.h>
#include <strings.h>

#define PAIRS_MAX 64u
#define TOKEN_MAX 64u

const char *request_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

bool request_is_token(const char *text)
{
	size_t size = 0;

	for (; text[size]; size++) {
		char c = text[size];

		if (size == TOKEN_MAX || !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
					   c == '_' || c == '-'))
			return false;
	}
	return size > 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* What may stand in a target as it is sent: visible ASCII (RFC 9112 3.2, RFC 3986 2). */
static bool is_visible(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

enum part { PART_PATH, PART_QUERY };

/* Decode `size` bytes to `out`, which has room for as many and a NUL. The end of what was written, its NUL, or NULL. In a query `+`
 * is a space; in a path %2F stays as it is, since it is data and no separator (RFC 3986 2.2). */
static char *decode(const char *text, size_t size, enum part part, char *out, const char **ret_detail)
{
	char *start = out;

	for (size_t i = 0; i < size; i++) {
		int high;
		int low;

		if (text[i] != '%') {
			*out++ = part == PART_QUERY && text[i] == '+' ? ' ' : text[i];
			continue;
		}
		high = size - i > 2 ? hex_digit(text[i + 1]) : -1;
		low = high >= 0 ? hex_digit(text[i + 2]) : -1;
		if (low < 0) {
			*ret_detail = "the target has a % that two hex digits do not follow; write a percent sign as %25";
			return NULL;
		}
		if (part == PART_PATH && (high << 4 | low) == '/') {
			*out++ = '%';
			continue;
		}
		*out++ = (char)(high << 4 | low);
		i += 2;
	}
	*out = '\0';
	if (!text_is_printable(start, (size_t)(out - start))) {
		*ret_detail = "the target has control characters or is not UTF-8 when its escapes are decoded";
		return NULL;
	}
	return out;
}

/* The first pair that is not empty at or after `text`, and where it ends; NULL: there is no more. */
static const char *next_pair(const char *text, const char *end, size_t *ret_size, const char **ret_next)
{
	const char *stop;

	while (text < end && *text == '&')
		text++;
	if (text == end)
		return NULL;
	stop = memchr(text, '&', (size_t)(end - text));
	if (!stop)
		stop = end;
	*ret_size = (size_t)(stop - text);
	*ret_next = stop;
	return text;
}

static bool split_query(char *room, const char *text, const char *end, struct http_pair *pairs, const char **ret_detail)
{
	const char *pair;
	const char *next;
	size_t size;

	for (; (pair = next_pair(text, end, &size, &next)); text = next, pairs++) {
		const char *equals = memchr(pair, '=', size);
		size_t name_size = equals ? (size_t)(equals - pair) : size;

		pairs->name = room;
		room = decode(pair, name_size, PART_QUERY, room, ret_detail);
		if (!room)
			return false;
		pairs->value = equals ? room + 1 : room; /* without a sign: the NUL of the name */
		if (!equals) {
			room++;
			continue;
		}
		room = decode(equals + 1, size - name_size - 1, PART_QUERY, room + 1, ret_detail);
		if (!room)
			return false;
		room++;
	}
	return true;
}

static size_t count_pairs(const char *text, const char *end)
{
	size_t count = 0;
	size_t size;

	while (next_pair(text, end, &size, &text))
		count++;
	return count;
}

/* Where the path begins: behind scheme and authority in the absolute form, which proxies use (RFC 9112 3.2.2). */
static const char *find_path(const char *target, const char *end)
{
	size_t size = (size_t)(end - target);
	size_t scheme = size > 7 && strncasecmp(target, "http://", 7) == 0    ? 7
			: size > 8 && strncasecmp(target, "https://", 8) == 0 ? 8
									      : 0;
	const char *path = target + scheme;

	while (scheme && path < end && *path != '/' && *path != '?')
		path++;
	return path < end && *path == '/' && (!scheme || path > target + scheme) ? path : NULL;
}

bool request_decode_target(struct arena *arena, const char *target, size_t size, struct http_request *ret_request,
			   const char **ret_detail)
{
	const char *end = target + size;
	const char *path = find_path(target, end);
	const char *question = memchr(target, '?', size);
	const char *path_end = question ? question : end;
	const char *query = question ? question + 1 : end;
	size_t count = count_pairs(query, end);
	struct http_pair *pairs;
	char *copy;
	char *room;

	if (!path) {
		*ret_detail = "the target must be a path that starts with a slash, or an http URL with one";
		return false;
	}
	if (!is_visible(target, size)) {
		*ret_detail = "the target has bytes that must be written as %XX: control characters, spaces or bytes over 127";
		return false;
	}
	if (count > PAIRS_MAX) {
		*ret_detail = "the target has more than 64 arguments";
		return false;
	}
	/* One piece for everything: the pairs, the target as it came, and the decoded texts, none longer than its source but for a
	 * NUL that takes the place of `?`, `=` or `&`, or of the end. */
	pairs = arena_alloc(arena, count * sizeof(*pairs) + 2 * (size + 2));
	if (!pairs) {
		*ret_detail = "out of memory";
		return false;
	}
	copy = (char *)(pairs + count);
	memcpy(copy, target, size);
	copy[size] = '\0';
	room = decode(path, (size_t)(path_end - path), PART_PATH, copy + size + 1, ret_detail);
	if (!room || !split_query(room + 1, query, end, pairs, ret_detail))
		return false;
	ret_request->target = copy;
	ret_request->path = copy + size + 1;
	ret_request->query = pairs;
	ret_request->query_count = count;
	return true;
}
