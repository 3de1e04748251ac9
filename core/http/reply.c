/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/reply.h"

#include "core/base/buffer.h"
#include "core/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBLEM_LIMIT 16384u

void reply_header(struct http_reply *reply, const char *name, const char *value)
{
	if (reply->header_count == REPLY_HEADERS)
		abort();
	reply->headers[reply->header_count++] = (struct http_pair){name, value};
}

static void set_body(struct http_reply *reply, unsigned status, const char *type, const char *text, size_t size)
{
	free(reply->free_body); /* of a reply that was filled before and is thought better of */
	reply->free_body = NULL;
	reply->status = status;
	reply->content_type = type;
	reply->body = text;
	reply->body_size = size;
}

void reply_text(struct http_reply *reply, unsigned status, const char *text)
{
	set_body(reply, status, "text/plain; charset=utf-8", text, strlen(text));
}

void reply_json(struct http_reply *reply, unsigned status, const char *json, size_t size)
{
	set_body(reply, status, "application/json", json, size);
}

void reply_old_text(struct http_reply *reply, unsigned status, const char *code, const char *text)
{
	reply_text(reply, status, text);
	reply->error_code = code;
}

/* The phrases of RFC 9110 15 and RFC 6585, for the problems that we have. */
static const char *title_of(unsigned status)
{
	static const struct {
		unsigned status;
		const char *title;
	} titles[] = {
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

/* A text that was cut to fit may end inside a character: leave that out. */
static void drop_half_character(char *text)
{
	size_t size = strlen(text);

	if (text_is_utf8(text, size))
		return;
	while (size && ((unsigned char)text[size - 1] & 0xc0) == 0x80)
		size--;
	text[size ? size - 1 : 0] = '\0';
}

static void problem_json(struct buffer *json, const struct http_request *request, unsigned status, const char *code,
			 const char *field, const char *detail)
{
	buffer_format(json, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":", title_of(status), status);
	buffer_json_text(json, detail);
	buffer_text(json, ",\"code\":");
	buffer_json_text(json, code);
	buffer_text(json, ",\"request_id\":");
	buffer_json_text(json, request->id);
	if (field) {
		buffer_text(json, ",\"field\":");
		buffer_json_text(json, field);
	}
	buffer_byte(json, '}');
}

void reply_problem(const struct http_request *request, struct http_reply *reply, unsigned status, const char *code,
		   const char *field, const char *format, ...)
{
	char detail[1024] = "";
	struct buffer json;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	drop_half_character(detail);
	buffer_init(&json, PROBLEM_LIMIT);
	problem_json(&json, request, status, code, field, detail);
	if (json.failed) {
		buffer_fini(&json);
		reply_old_text(reply, status, code, "out of memory");
		return;
	}
	set_body(reply, status, "application/problem+json", json.data, json.size);
	reply->error_code = code;
	reply->free_body = json.data;
}

void reply_retry_after(const struct http_request *request, struct http_reply *reply, unsigned seconds)
{
	const char *text = arena_format(request->arena, "%u", seconds);

	reply_header(reply, "Retry-After", text ? text : "1");
}
