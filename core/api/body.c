/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/body.h"

#include "core/base/buffer.h"
#include "core/base/text.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

/* More numbers than any field takes are an error of that field; this only bounds the text. */
#define ARRAY_LIMIT 4096u

static bool is_json_type(const char *type)
{
	size_t size = type ? strcspn(type, "; \t") : 0;

	return size == strlen("application/json") && strncasecmp(type, "application/json", size) == 0;
}

static const char *array_text(struct arena *arena, const json_t *array)
{
	struct buffer text;
	const char *copy = NULL;
	bool plain = json_array_size(array) > 0;

	buffer_init(&text, ARRAY_LIMIT);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		plain = plain && json_is_integer(item);
		if (i)
			buffer_byte(&text, ',');
		if (plain)
			buffer_number(&text, json_integer_value(item));
	}
	if (plain && !text.failed)
		copy = arena_copy(arena, text.data, text.size);
	buffer_fini(&text);
	return copy;
}

static const char *value_text(struct arena *arena, const char *name, const json_t *value)
{
	bool is_list = strcmp(name, "ethernetMAC") == 0 || strcmp(name, "sixBMAC") == 0;

	if (is_list)
		return json_is_array(value) ? array_text(arena, value) : NULL;
	if (json_is_string(value))
		return arena_copy(arena, json_string_value(value), json_string_length(value));
	if (json_is_integer(value) && strcmp(name, "port") == 0)
		return arena_format(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return NULL;
}

static bool take_members(const struct http_request *request, json_t *object, struct http_pair *pairs, struct http_reply *reply)
{
	const char *name;
	json_t *value;
	size_t i = 0;

	json_object_foreach(object, name, value)
	{
		struct http_pair *pair = &pairs[i++];

		pair->name = arena_text(request->arena, name);
		pair->value = value_text(request->arena, name, value);
		if (!pair->name || !pair->value) {
			reply_problem(request, reply, 400, "bad_argument", text_is_printable(name, strlen(name)) ? name : NULL,
				      "this member is not of the type that the field needs");
			return false;
		}
	}
	return true;
}

bool body_parse(const struct http_request *request, struct http_pair **ret_pairs, size_t *ret_count, struct http_reply *reply)
{
	json_error_t error;
	json_t *object;
	size_t count;
	struct http_pair *pairs;
	bool good;

	if (!request->body_size) {
		reply_problem(request, reply, 400, "bad_request", NULL, "POST takes the fields as a JSON object in the body");
		return false;
	}
	if (!is_json_type(request_header(request, "Content-Type"))) {
		reply_problem(request, reply, 415, "unsupported_media_type", NULL, "the body should be application/json");
		return false;
	}
	object = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(object)) {
		reply_problem(request, reply, 400, "bad_request", NULL, "the body is not a JSON object: %s (line %d, column %d)",
			      object ? "another type" : error.text, object ? 1 : error.line, object ? 1 : error.column);
		json_decref(object);
		return false;
	}
	count = json_object_size(object);
	pairs = arena_zalloc(request->arena, (count + 1) * sizeof(*pairs));
	good = pairs && take_members(request, object, pairs, reply);
	json_decref(object);
	if (!pairs)
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
	*ret_pairs = pairs;
	*ret_count = count;
	return good;
}
