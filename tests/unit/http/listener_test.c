/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"
#include "stage.h"

#include "core/base/buffer.h"
#include "core/http/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct stage *setup(void)
{
	static struct stage stage; /* one test at a time */

	stage_set(&stage);
	stage_start(&stage);
	return &stage;
}

#define HOST "Host: h\r\n"

/* Everything that a reply has to have whatever it says. */
static void check_everywhere(const struct client_reply *reply, bool has_body)
{
	char value[256];

	assert_string_equal(client_header(reply, "Cache-Control", value), "no-store");
	assert_string_equal(client_header(reply, "X-Content-Type-Options", value), "nosniff");
	assert_true(request_is_token(client_header(reply, "X-Request-Id", value)));
	assert_int_not_equal(*client_header(reply, "Date", value), '\0');
	if (reply->status < 400)
		return;
	assert_int_not_equal(*client_header(reply, "Pep-Error", value), '\0');
	assert_string_equal(client_header(reply, "Content-Type", value), "application/problem+json");
	if (has_body)
		assert_non_null(strstr(reply->body, "\"request_id\":\""));
}

static void expect_error(struct stage *stage, const char *request, unsigned status, const char *code)
{
	struct client_reply reply = client_ask(stage->port, request);
	char value[256];

	if (reply.status != status)
		fail_msg("status %u for %.80s", reply.status, request);
	check_everywhere(&reply, true);
	assert_string_equal(client_header(&reply, "Pep-Error", value), code);
	client_reply_free(&reply);
}

static void expect_echo(struct stage *stage, const char *request, const char *text)
{
	struct client_reply reply = client_ask(stage->port, request);

	assert_int_equal(reply.status, 200);
	check_everywhere(&reply, true);
	assert_string_equal(reply.body, text);
	client_reply_free(&reply);
}

static void test_requests_reach_their_handler(void **state)
{
	struct stage *stage = setup();

	(void)state;
	expect_echo(stage, "GET /v3/echo?a=b+c&&d=%C3%A4 HTTP/1.1\r\n" HOST "X-Test: 1\r\n\r\n",
		    "1 +/v3/echo tail= peer=127.0.0.1 a=b c d=\xc3\xa4 x=1 body=0:");
	expect_echo(stage, "GET http://h/echo?a=b HTTP/1.1\r\n" HOST "\r\n", "1 /echo tail= peer=127.0.0.1 a=b x=- body=0:");
	expect_echo(stage, "GET /work/ HTTP/1.0\r\n\r\n", "1 /work/ tail= peer=127.0.0.1 x=- body=0:");
	expect_echo(stage, "GET /tail/a/b/ HTTP/1.1\r\n" HOST "\r\n", "1 /tail/a/b/ tail=a/b peer=127.0.0.1 x=- body=0:");
	expect_echo(stage, "POST /work HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
		    "4 /work tail= peer=127.0.0.1 x=- body=5:hello");
	expect_echo(stage, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		    "4 /echo tail= peer=127.0.0.1 x=- body=5:abcde");
	expect_echo(stage, "GET /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n{", "1 /echo tail= peer=127.0.0.1 x=- body=1:{");
	stage_stop(stage, 10000);
}

static void test_paths_and_methods_are_refused(void **state)
{
	struct stage *stage = setup();
	struct client_reply reply;
	char value[256];

	(void)state;
	expect_error(stage, "GET /nope HTTP/1.1\r\n" HOST "\r\n", 404, "no_such_path");
	expect_error(stage, "POST /nope HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 404, "no_such_path");
	expect_error(stage, "GET /v3/v3/echo HTTP/1.1\r\n" HOST "\r\n", 404, "no_such_path");
	expect_error(stage, "GET /v3%2Fecho HTTP/1.1\r\n" HOST "\r\n", 404, "no_such_path");
	expect_error(stage, "GET //echo HTTP/1.1\r\n" HOST "\r\n", 404, "no_such_path");
	expect_error(stage, "GET /tail/%2e%2e/echo HTTP/1.1\r\n" HOST "\r\n", 404, "no_such_path");
	expect_error(stage, "PUT /echo HTTP/1.1\r\n" HOST "\r\n", 405, "method_not_allowed");
	expect_error(stage, "FOO /echo HTTP/1.1\r\n" HOST "\r\n", 405, "method_not_allowed");
	reply = client_ask(stage->port, "DELETE /echo HTTP/1.1\r\n" HOST "\r\n");
	assert_string_equal(client_header(&reply, "Allow", value), "GET, HEAD, POST, OPTIONS");
	client_reply_free(&reply);
	reply = client_ask(stage->port, "OPTIONS /hold HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(reply.status, 204);
	check_everywhere(&reply, false);
	assert_string_equal(client_header(&reply, "Allow", value), "GET, OPTIONS");
	client_reply_free(&reply);
	stage_stop(stage, 10000);
}

static void test_targets_are_refused(void **state)
{
	struct stage *stage = setup();

	(void)state;
	expect_error(stage, "GET ftp://h/echo HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request");
	expect_error(stage, "GET /echo?a=b c HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request");
	expect_error(stage, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request");
	expect_error(stage, "GET /echo%00 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request");
	expect_error(stage, "GET /echo?a=%zz HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request");
	expect_error(stage, "GET /echo?a=%4 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request");
	expect_error(stage, "GET /echo?a=%ff HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request");
	expect_error(stage, "GET /echo?a=%0a HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request");
	expect_error(stage, "GET /echo?a=\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request");
	stage_stop(stage, 10000);
}

/* `count` times `text` between a start and an end. */
static char *repeated(const char *start, const char *text, unsigned count, const char *end)
{
	struct buffer buffer;

	buffer_init(&buffer, 1 << 20);
	buffer_text(&buffer, start);
	while (count--)
		buffer_text(&buffer, text);
	buffer_append(&buffer, end, strlen(end) + 1);
	assert_false(buffer.failed);
	return buffer.data;
}

static void expect_error_of(struct stage *stage, char *request, unsigned status, const char *code)
{
	expect_error(stage, request, status, code);
	free(request);
}

static void test_limits(void **state)
{
	struct stage *stage = setup();
	struct client_reply reply;
	char *request;

	(void)state;
	expect_error_of(stage, repeated("GET /echo?a=", "x", 4090, " HTTP/1.1\r\n" HOST "\r\n"), 414, "uri_too_long");
	expect_error_of(stage, repeated("GET /echo?", "a=1&", 500, " HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_request");
	expect_error_of(stage, repeated("GET /echo?", "a&", 1500, " HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_request");
	expect_error_of(stage, repeated("GET /echo HTTP/1.1\r\n" HOST, "A: b\r\n", 64, "\r\n"), 431, "headers_too_large");
	expect_error(stage, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n", 413, "too_large");
	expect_error_of(stage,
			repeated("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", "a\r\n0123456789\r\n", 6554,
				 "0\r\n\r\n"),
			413, "too_large");
	request = repeated("GET /echo HTTP/1.1\r\n" HOST, "A: b\r\n", 63, "\r\n");
	reply = client_ask(stage->port, request);
	assert_int_equal(reply.status, 200);
	client_reply_free(&reply);
	free(request);
	request = repeated("POST /work HTTP/1.1\r\n" HOST "Content-Length: 65536\r\n\r\n", "x", 65536, "");
	reply = client_ask(stage->port, request);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.body, "body=65536:xxx"));
	client_reply_free(&reply);
	free(request);
	stage_stop(stage, 10000);
}

/* Refused, closed after it, and what follows on the connection is not read as a request. */
static void expect_framing_error(struct stage *stage, const char *request, size_t size)
{
	struct client client = client_open(stage->port);
	struct client_reply reply;
	char value[256];

	client_send_bytes(&client, request, size);
	client_send(&client, "GET /echo HTTP/1.1\r\n" HOST "\r\n");
	reply = client_read(&client, false);
	if (reply.status != 400)
		fail_msg("status %u for %.90s", reply.status, request);
	check_everywhere(&reply, true);
	assert_string_equal(client_header(&reply, "Connection", value), "close");
	client_reply_free(&reply);
	assert_true(client_at_end(&client));
	client_close(&client);
}

static void test_unclear_framing_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} requests[] = {
#define REQUEST(text_) {text_, sizeof(text_) - 1}
		REQUEST("GET /echo HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
		REQUEST("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
		REQUEST("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		REQUEST("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		REQUEST("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
		REQUEST("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
		REQUEST("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 003\r\n\r\nabc"),
		REQUEST("GET /echo HTTP/1.1\r\n" HOST "X-A: b\r\n c\r\n\r\n"),
		REQUEST("GET /echo HTTP/1.1\r\n" HOST "X-A: b\r\n\tc\r\nX-B: c\r\n\r\n"),
		REQUEST("GET /echo HTTP/1.1\r\n" HOST "X-A: b\0c\r\n\r\n"),
		REQUEST("GET /echo HTTP/1.1\r\n" HOST "X-A: b\0\r\nX-B: c\r\n\r\n"),
		REQUEST("GET /echo HTTP/1.1\r\n" HOST "X-A: b\n\r\n"),
		REQUEST("GET /echo HTTP/1.1\n" HOST "\r\n"),
		REQUEST("GET /echo HTTP/1.1\r\n" HOST "\n"),
		REQUEST("GET /echo HTTP/1.1\r\n" HOST "X-A: b\rc\r\n\r\n"),
		REQUEST("GET /echo HTTP/1.1\r\n" HOST "X-A : b\r\n\r\n"),
		REQUEST("GET /echo HTTP/1.1\r\n" HOST ": b\r\n\r\n"),
		REQUEST("GET /echo\0/x HTTP/1.1\r\n" HOST "\r\n"),
		REQUEST("GET  /echo HTTP/1.1\r\n" HOST "\r\n"),
#undef REQUEST
	};
	struct stage *stage = setup();

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		expect_framing_error(stage, requests[i].text, requests[i].size);
	stage_stop(stage, 10000);
}

/* Once: a reply that is followed by more bytes is misread. */
static void test_what_the_library_refuses_is_answered_too(void **state)
{
	static const char *const requests[] = {"HELO there\r\n\r\n", "GET /echo HTTP/1.1 \r\n" HOST "\r\n", "GET /echo\r\n\r\n",
					       "GET /echo HTTP/1.1\r\n" HOST "broken header\r\n\r\n"};
	struct stage *stage = setup();

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct client client = client_open(stage->port);
		struct client_reply reply;

		client_send(&client, requests[i]);
		reply = client_read(&client, false);
		assert_int_equal(reply.status, 400);
		assert_true(client_at_end(&client));
		client_reply_free(&reply);
		client_close(&client);
	}
	stage_stop(stage, 10000);
}

static void expect_single_error(struct stage *stage, const char *request)
{
	struct client client = client_open(stage->port);
	struct client_reply reply;

	client_send(&client, request);
	reply = client_read(&client, false);
	assert_int_equal(reply.status, 400);
	check_everywhere(&reply, true);
	client_reply_free(&reply);
	assert_true(client_at_end(&client));
	client_close(&client);
}

/* These the library would answer with two heads. */
static void test_what_the_library_answers_twice(void **state)
{
	struct stage *stage = setup();
	struct client other = client_open(stage->port); /* in the middle of its head all the time */
	struct client_reply reply;

	(void)state;
	client_send(&other, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n");
	expect_single_error(stage, "GET /echo HTTP/1.1\r\n\r\n");
	for (size_t i = 0; i < 4; i++) { /* on every HTTP thread */
		expect_single_error(stage, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\nx");
		expect_single_error(stage, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\nx");
		expect_single_error(stage, "POST /echo HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n");
	}
	client_send(&other, "\r\nab");
	reply = client_read(&other, false);
	assert_int_equal(reply.status, 200);
	client_reply_free(&reply);
	client_close(&other);
	stage_stop(stage, 10000);
}

/* The library must not be stopped while it refuses one: it would make a head for a reply that it could not queue. */
static void test_stop_while_the_library_refuses(void **state)
{
	enum { CLIENTS = 8, TIMES = 20 };

	(void)state;
	for (int i = 0; i < TIMES; i++) {
		struct stage *stage = setup();
		struct client clients[CLIENTS];

		for (int k = 0; k < CLIENTS; k++)
			clients[k] = client_open(stage->port);
		for (int k = 0; k < CLIENTS; k++)
			client_send(&clients[k], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\nx");
		stage_stop(stage, 10000);
		for (int k = 0; k < CLIENTS; k++)
			client_close(&clients[k]);
	}
}

static void test_request_ids(void **state)
{
	struct stage *stage = setup();
	struct client_reply reply = client_ask(stage->port, "GET /echo HTTP/1.1\r\n" HOST "X-Request-Id: a.B_9-\r\n\r\n");
	char value[256];
	char other[256];

	(void)state;
	assert_string_equal(client_header(&reply, "X-Request-Id", value), "a.B_9-");
	client_reply_free(&reply);
	reply = client_ask(stage->port, "GET /nope HTTP/1.1\r\n" HOST "X-Request-Id: <a>\r\n\r\n");
	(void)client_header(&reply, "X-Request-Id", value);
	assert_true(request_is_token(value));
	assert_non_null(strstr(reply.body, value));
	client_reply_free(&reply);
	reply = client_ask(stage->port, "GET /echo HTTP/1.1\r\n" HOST "X-Request-Id: a\r\nX-Request-Id: a\r\n\r\n");
	(void)client_header(&reply, "X-Request-Id", other);
	assert_true(request_is_token(other));
	assert_string_not_equal(other, "a");
	assert_string_not_equal(other, value);
	client_reply_free(&reply);
	stage_stop(stage, 10000);
}

static void test_head_is_the_head_of_get(void **state)
{
	struct stage *stage = setup();
	struct client client = client_open(stage->port);
	struct client_reply get;
	struct client_reply head;
	char value[256];
	char other[256];

	(void)state;
	client_send(&client,
		    "GET /work HTTP/1.1\r\n" HOST "\r\nHEAD /work HTTP/1.1\r\n" HOST "\r\nHEAD /nope HTTP/1.1\r\n" HOST "\r\n");
	get = client_read(&client, false);
	head = client_read(&client, true);
	assert_int_equal(head.status, 200);
	assert_string_equal(client_header(&head, "Content-Length", value), client_header(&get, "Content-Length", other));
	check_everywhere(&head, false);
	client_reply_free(&get);
	client_reply_free(&head);
	head = client_read(&client, true);
	assert_int_equal(head.status, 404);
	check_everywhere(&head, false);
	client_reply_free(&head);
	client_send(&client, "GET /echo HTTP/1.1\r\n" HOST "\r\n");
	get = client_read(&client, false);
	assert_int_equal(get.status, 200);
	client_reply_free(&get);
	client_close(&client);
	stage_stop(stage, 10000);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
	struct stage *stage = setup();
	struct client client = client_open(stage->port);
	struct buffer requests;

	(void)state;
	buffer_init(&requests, 1 << 20);
	for (int i = 0; i < 200; i++)
		buffer_format(&requests, "%s /%s?n=%d HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n%s", i % 3 ? "GET" : "POST",
			      i % 2 ? "work" : "echo", i, i % 3 ? 0 : 2, i % 3 ? "" : "ab");
	client_send_bytes(&client, requests.data, requests.size);
	for (int i = 0; i < 200; i++) {
		struct client_reply reply = client_read(&client, false);
		char expected[32];

		(void)snprintf(expected, sizeof(expected), " n=%d x=- body=%d:", i, i % 3 ? 0 : 2);
		assert_int_equal(reply.status, 200);
		assert_non_null(strstr(reply.body, expected));
		client_reply_free(&reply);
	}
	buffer_fini(&requests);
	client_close(&client);
	stage_stop(stage, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_reach_their_handler),
		cmocka_unit_test(test_paths_and_methods_are_refused),
		cmocka_unit_test(test_targets_are_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unclear_framing_is_refused),
		cmocka_unit_test(test_what_the_library_refuses_is_answered_too),
		cmocka_unit_test(test_what_the_library_answers_twice),
		cmocka_unit_test(test_stop_while_the_library_refuses),
		cmocka_unit_test(test_request_ids),
		cmocka_unit_test(test_head_is_the_head_of_get),
		cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
