/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/body.h"

#include "core/base/buffer.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <string.h>
#include <strings.h>

/* More numbers than any field takes: the list is a few kilobytes of text at most. */
#define LIST_LIMIT 100u

static bool is_json_type(const char *type)
{
	size_t size = type ? strcspn(type, "; \t") : 0;

	return size == strlen("application/json") && strncasecmp(type, "application/json", size) == 0;
}

static bool is_number_list(const json_t *value)
{
	size_t count = json_array_size(value);

	for (size_t i = 0; i < count; i++)
		if (!json_is_integer(json_array_get(value, i)))
			return false;
	return count > 0 && count <= LIST_LIMIT;
}

static const char *array_text(struct arena *arena, const json_t *array)
{
	struct buffer text;
	const char *copy = NULL;

	buffer_init(&text, LIST_LIMIT * sizeof("-9223372036854775808,"));
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i)
			buffer_byte(&text, ',');
		buffer_number(&text, json_integer_value(json_array_get(array, i)));
	}
	if (!text.failed)
		copy = arena_copy(arena, text.data, text.size);
	buffer_fini(&text);
	return copy;
}

static bool is_list(const char *name)
{
	return strcmp(name, "ethernetMAC") == 0 || strcmp(name, "sixBMAC") == 0;
}

static bool is_fit(const char *name, const json_t *value)
{
	if (is_list(name))
		return is_number_list(value);
	return json_is_string(value) || (json_is_integer(value) && strcmp(name, "port") == 0);
}

/* Of a fit value. NULL: out of memory. */
static const char *value_text(struct arena *arena, const json_t *value)
{
	if (json_is_array(value))
		return array_text(arena, value);
	if (json_is_integer(value))
		return arena_format(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return arena_copy(arena, json_string_value(value), json_string_length(value));
}

static bool take_members(const struct http_request *request, json_t *object, struct http_pair *pairs, struct http_reply *reply)
{
	const char *name;
	json_t *value;
	size_t i = 0;

	json_object_foreach(object, name, value)
	{
		struct http_pair *pair = &pairs[i++];

		if (!is_fit(name, value)) {
			reply_problem(request, reply, 400, "bad_argument", text_is_printable(name, strlen(name)) ? name : NULL,
				      "this member is not of the type that the field needs");
			return false;
		}
		pair->name = arena_text(request->arena, name);
		pair->value = value_text(request->arena, value);
		if (!pair->name || !pair->value) {
			reply_problem(request, reply, 500, "internal", NULL, "out of memory");
			return false;
		}
	}
	return true;
}

static bool take_object(const struct http_request *request, json_t *object, struct http_pair **ret_pairs, size_t *ret_count,
			struct http_reply *reply)
{
	size_t count = json_object_size(object);
	struct http_pair *pairs = arena_zalloc(request->arena, (count + 1) * sizeof(*pairs));

	if (!pairs) {
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
		return false;
	}
	if (!take_members(request, object, pairs, reply))
		return false;
	*ret_pairs = pairs;
	*ret_count = count;
	return true;
}

bool body_parse(const struct http_request *request, struct http_pair **ret_pairs, size_t *ret_count, struct http_reply *reply)
{
	struct pep_error err = {0};
	json_t *json = NULL;
	bool good = false;

	if (!request->body_size) {
		reply_problem(request, reply, 400, "bad_request", NULL, "POST takes the fields as a JSON object in the body");
		return false;
	}
	if (!is_json_type(request_header(request, "Content-Type"))) {
		reply_problem(request, reply, 415, "unsupported_media_type", NULL, "the body should be application/json");
		return false;
	}
	if (json_parse_text(request->body, request->body_size, &json, &err) == PEP_NO_MEMORY)
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
	else if (!json_is_object(json))
		reply_problem(request, reply, 400, "bad_request", NULL, "the body is not a JSON object: %s",
			      json ? "it is another JSON value" : err.message);
	else
		good = take_object(request, json, ret_pairs, ret_count, reply);
	json_decref(json);
	return good;
}
