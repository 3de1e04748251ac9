/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/trouble.h"

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/service/audit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void trouble_reply(const struct http_request *request, struct http_reply *reply, pep_status status, const struct pep_error *err)
{
	switch (status) {
	case PEP_NOT_FOUND:
		reply_problem(request, reply, 404, "not_found", NULL, "%s", err->message);
		return;
	case PEP_CONFLICT:
		reply_problem(request, reply, 409, "conflict", NULL, "%s", err->message);
		return;
	case PEP_LIMIT:
		reply_problem(request, reply, 409, "too_many", NULL, "%s", err->message);
		return;
	case PEP_UNSUPPORTED:
		reply_problem(request, reply, 501, "unsupported", NULL, "%s", err->message);
		return;
	default:
		break;
	}
	log_event(LOG_ERR, "a change or a look is not done", LOG_TEXT("request_id", request->id), LOG_NUMBER("status", status),
		  LOG_TEXT("error", err->message));
	if (status == PEP_NO_MEMORY || status == PEP_INTERNAL || status == PEP_INVALID) {
		reply_problem(request, reply, 500, "internal", NULL, "the server has an inner problem; its log tells more");
		return;
	}
	reply_problem(request, reply, 503, "storage_unavailable", NULL,
		      status == PEP_UNKNOWN ? "the store did not say whether it was done; look, and try again"
					    : "the records cannot be reached now; try again");
	reply_retry_after(request, reply, 2);
}

static bool is_named(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* NULL: all are known. */
static const char *unknown_member(json_t *object, const char *const *names)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (!is_named(names, name))
			return name;
	}
	return NULL;
}

bool trouble_body(const struct http_request *request, const char *const *names, json_t **ret_object, struct http_reply *reply)
{
	const char *type = request_header(request, "Content-Type");
	const char *unknown;
	struct pep_error err = {0};
	json_t *object = NULL;

	if (!type || strncasecmp(type, "application/json", strlen("application/json")) != 0) {
		reply_problem(request, reply, 415, "unsupported_media_type", NULL, "the body should be application/json");
		return false;
	}
	if (!request->body_size || json_parse_text(request->body, request->body_size, &object, &err) != PEP_OK ||
	    !json_is_object(object)) {
		reply_problem(request, reply, 400, "bad_request", NULL, "the body is not a JSON object: %s",
			      object           ? "it is another JSON value"
			      : err.message[0] ? err.message
					       : "it is empty");
		json_decref(object);
		return false;
	}
	unknown = unknown_member(object, names);
	if (unknown) {
		reply_problem(request, reply, 400, "bad_argument", text_is_printable(unknown, strlen(unknown)) ? unknown : NULL,
			      "there is no member of this name here");
		json_decref(object);
		return false;
	}
	*ret_object = object;
	return true;
}

const char *trouble_text(const struct http_request *request, const json_t *object, const char *name, size_t limit,
			 struct http_reply *reply)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);
	size_t size = json_string_length(value);

	if (text && size >= 1 && size <= limit && text_is_printable(text, size))
		return text;
	reply_problem(request, reply, 400, "bad_argument", name, "%s should be 1 to %zu bytes of printable text", name, limit);
	return NULL;
}

bool trouble_audit(const struct api_context *api, const struct http_request *request, json_t *event, struct http_reply *reply)
{
	struct pep_error err = {0};

	if (event && (json_object_set_new(event, "actor", json_string(request->actor)) != 0 ||
		      json_object_set_new(event, "request_id", json_string(request->id)) != 0)) {
		json_decref(event);
		event = NULL;
	}
	if (audit_append(api->audit, event, &err) == PEP_OK)
		return true;
	log_event(LOG_ERR, "refused: it cannot be audited", LOG_TEXT("request_id", request->id), LOG_TEXT("error", err.message));
	reply_problem(request, reply, 503, "audit_unavailable", NULL,
		      "this cannot be audited now, so it is not done; the server's log says why");
	reply_retry_after(request, reply, 5);
	return false;
}

void trouble_json(const struct http_request *request, struct http_reply *reply, unsigned status, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!text) {
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
		return;
	}
	reply_json(reply, status, text, strlen(text));
	reply->free_body = text;
}
