/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/arguments.h"

#include <string.h>

static bool is_listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

bool arguments_check(const struct http_request *request, const char *const *names, struct http_reply *reply)
{
	if (request->body_size) {
		reply_problem(request, reply, 400, "bad_request", NULL, "this request takes no body");
		return false;
	}
	for (size_t i = 0; i < request->query_count; i++) {
		const char *name = request->query[i].name;

		if (!is_listed(names, name)) {
			reply_problem(request, reply, 400, "bad_argument", name, "there is no argument of this name here");
			return false;
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(request->query[j].name, name) == 0) {
				reply_problem(request, reply, 400, "bad_argument", name, "this argument is given more than once");
				return false;
			}
		}
	}
	return true;
}

const char *arguments_value(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->query_count; i++)
		if (strcmp(request->query[i].name, name) == 0)
			return *request->query[i].value ? request->query[i].value : NULL;
	return NULL;
}

bool arguments_id(const struct http_request *request, struct http_reply *reply, const char *name, const char *what,
		  const char **ret_id)
{
	const char *text = arguments_value(request, name);
	char *id = NULL;

	if (text && (strlen(text) != 24 || strspn(text, "0123456789abcdefABCDEF") != 24)) {
		reply_problem(request, reply, 400, "bad_argument", name, "%s is %s: 24 hex digits", name, what);
		return false;
	}
	if (text) {
		id = arena_text(request->arena, text);
		if (!id) { /* not to be taken for a walk from the start */
			reply_problem(request, reply, 500, "internal", NULL, "out of memory");
			return false;
		}
	}
	for (char *digit = id; digit && *digit; digit++)
		*digit = (char)(*digit >= 'A' && *digit <= 'F' ? *digit - 'A' + 'a' : *digit);
	*ret_id = id;
	return true;
}

bool arguments_last(const struct http_request *request, struct http_reply *reply, const char **ret_last)
{
	return arguments_id(request, reply, "last", "the _id of the last entry of the previous page", ret_last);
}
