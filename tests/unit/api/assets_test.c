/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/assets.h"

#include "core/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

static const unsigned char page[] = "<page>", page_packed[] = "packed page", document[] = "openapi: 3.1.0",
			   document_packed[] = "packed", board[] = "<board>", board_packed[] = "packed board", script[] = "1",
			   script_packed[] = "packed 1";

#define BYTES(array) (array), (array) + sizeof(array) - 1
const struct asset assets[] = {
	{"/docs/openapi.yaml", "application/yaml", "W/\"0123\"", BYTES(document), BYTES(document_packed)},
	{"/docs/", "text/html; charset=utf-8", "W/\"4567\"", BYTES(page), BYTES(page_packed)},
	{"/", "text/html; charset=utf-8", "W/\"89ab\"", BYTES(board), BYTES(board_packed)},
	{"/assets/app.js", "text/javascript; charset=utf-8", "W/\"cdef\"", BYTES(script), BYTES(script_packed)},
	{0},
};

/* The neighbours: core/http. */

void reply_header(struct http_reply *reply, const char *name, const char *value)
{
	assert_true(reply->header_count < REPLY_HEADERS);
	reply->headers[reply->header_count++] = (struct http_pair){name, value};
}

void reply_text(struct http_reply *reply, unsigned status, const char *text)
{
	reply->status = status;
	reply->content_type = "text/plain; charset=utf-8";
	reply->body = text;
	reply->body_size = strlen(text);
}

void reply_problem(const struct http_request *request, struct http_reply *reply, unsigned status, const char *code,
		   const char *field, const char *format, ...)
{
	(void)request;
	assert_null(field);
	assert_non_null(format);
	reply->status = status;
	reply->error_code = code;
	reply->content_type = "application/problem+json";
}

const char *request_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

static const char *replied(const struct http_reply *reply, const char *name)
{
	const struct http_request as_request = {.headers = reply->headers, .header_count = reply->header_count};

	return request_header(&as_request, name);
}

/* The reply to a GET with one header (or none). */
static struct http_reply ask_handler(route_handler handler, const char *path, const char *header, const char *value)
{
	const struct http_pair pair = {header, value};
	struct http_request request = {.method = HTTP_GET, .path = path, .headers = &pair, .header_count = header ? 1 : 0};
	struct http_reply reply = {0};

	handler(NULL, &request, &reply);
	return reply;
}

/* The same of /docs/TAIL. */
static struct http_reply ask(const char *tail, const char *header, const char *value)
{
	char path[64];
	int length = snprintf(path, sizeof(path), "/docs/%s", tail);

	assert_true(length > 0 && (size_t)length < sizeof(path));
	return ask_handler(api_docs, path, header, value);
}

static void assert_body(const struct http_reply *reply, const unsigned char *body, size_t size)
{
	assert_int_equal(reply->status, 200);
	assert_int_equal(reply->body_size, size);
	assert_ptr_equal(reply->body, body);
}

static void without_slash_redirects(void **state)
{
	struct http_request request = {.method = HTTP_GET, .path = "/docs", .tail = ""};
	struct http_reply reply = {0};

	(void)state;
	api_docs(NULL, &request, &reply);
	assert_int_equal(reply.status, 301);
	assert_string_equal(replied(&reply, "Location"), "/docs/");
	assert_false(reply.cacheable);
}

static void page_and_document(void **state)
{
	struct http_reply reply = ask("", NULL, NULL);

	(void)state;
	assert_body(&reply, page, sizeof(page) - 1);
	assert_string_equal(reply.content_type, "text/html; charset=utf-8");
	assert_true(reply.cacheable);
	assert_string_equal(replied(&reply, "ETag"), "W/\"4567\"");
	assert_string_equal(replied(&reply, "Cache-Control"), "no-cache");
	assert_null(replied(&reply, "Content-Encoding"));

	reply = ask("openapi.yaml", NULL, NULL);
	assert_body(&reply, document, sizeof(document) - 1);
	assert_string_equal(reply.content_type, "application/yaml");
	reply = ask("pep-swagger.yaml", NULL, NULL);
	assert_body(&reply, document, sizeof(document) - 1);
}

static void policy_lets_nothing_in_from_outside(void **state)
{
	struct http_reply reply = ask("", NULL, NULL);
	const char *policy = replied(&reply, "Content-Security-Policy");

	(void)state;
	assert_non_null(policy);
	assert_non_null(strstr(policy, "default-src 'none'"));
	assert_non_null(strstr(policy, "script-src 'self';"));
	assert_null(strstr(policy, "http"));
	for (size_t i = 0; i < 2; i++) {
		reply = ask_handler(api_dashboard, i ? "/assets/app.js" : "/", NULL, NULL);
		policy = replied(&reply, "Content-Security-Policy");
		assert_non_null(policy);
		assert_non_null(strstr(policy, "default-src 'none'"));
		assert_non_null(strstr(policy, "style-src 'self';"));
		assert_non_null(strstr(policy, "frame-ancestors 'none'"));
		assert_null(strstr(policy, "unsafe"));
		assert_null(strstr(policy, "http"));
	}
}

static void dashboard_and_its_parts(void **state)
{
	struct http_reply reply = ask_handler(api_dashboard, "/", NULL, NULL);

	(void)state;
	assert_body(&reply, board, sizeof(board) - 1);
	assert_string_equal(reply.content_type, "text/html; charset=utf-8");
	reply = ask_handler(api_dashboard, "/assets/app.js", "Accept-Encoding", "gzip");
	assert_body(&reply, script_packed, sizeof(script_packed) - 1);
	reply = ask_handler(api_dashboard, "/assets/", NULL, NULL);
	assert_int_equal(reply.status, 404);
	assert_string_equal(reply.error_code, "no_such_path");
}

static void unknown_is_a_problem(void **state)
{
	static const char *const names[] = {"nothing.html",  "../index.html", "/openapi.yaml",
					    "openapi.yaml/", "OPENAPI.yaml",  "x/y"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct http_reply reply = ask(names[i], NULL, NULL);

		assert_int_equal(reply.status, 404);
		assert_string_equal(reply.error_code, "no_such_path");
		assert_false(reply.cacheable);
	}
}

static void gzip_when_taken(void **state)
{
	static const char *const taken[] = {"gzip",        "br, gzip", "deflate,gzip;q=0.5,*", "GZIP", "gzip;q=1.0, identity",
					    "br;q=0, gzip"};
	static const char *const refused[] = {"", "br", "gzip;q=0", "gzip ; q=0.000", "gzipped", "xgzip", "gzip;q=0, br;q=1"};

	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		struct http_reply reply = ask("", "Accept-Encoding", taken[i]);

		assert_body(&reply, page_packed, sizeof(page_packed) - 1);
		assert_string_equal(replied(&reply, "Content-Encoding"), "gzip");
		assert_string_equal(replied(&reply, "Vary"), "Accept-Encoding");
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct http_reply reply = ask("", "accept-encoding", refused[i]);

		assert_body(&reply, page, sizeof(page) - 1);
		assert_null(replied(&reply, "Content-Encoding"));
		assert_string_equal(replied(&reply, "Vary"), "Accept-Encoding");
	}
}

static void unchanged_is_not_sent_again(void **state)
{
	static const char *const same[] = {"W/\"4567\"", "\"4567\"", "\"x\", W/\"4567\"", "*"};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		struct http_reply reply = ask("", "If-None-Match", same[i]);

		assert_int_equal(reply.status, 304);
		assert_null(reply.content_type);
		assert_string_equal(replied(&reply, "ETag"), "W/\"4567\"");
	}
	struct http_reply reply = ask("", "If-None-Match", "W/\"0123\"");

	assert_body(&reply, page, sizeof(page) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_slash_redirects),
		cmocka_unit_test(page_and_document),
		cmocka_unit_test(policy_lets_nothing_in_from_outside),
		cmocka_unit_test(dashboard_and_its_parts),
		cmocka_unit_test(unknown_is_a_problem),
		cmocka_unit_test(gzip_when_taken),
		cmocka_unit_test(unchanged_is_not_sent_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
