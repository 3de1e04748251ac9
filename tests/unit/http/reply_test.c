/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/reply.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_body(const struct http_reply *reply, unsigned status, const char *type, const char *body)
{
	assert_int_equal(reply->status, status);
	assert_string_equal(reply->content_type, type);
	assert_int_equal(reply->body_size, strlen(body));
	assert_memory_equal(reply->body, body, strlen(body));
}

static void test_plain_replies(void **state)
{
	struct http_reply reply = {0};

	(void)state;
	reply_text(&reply, 200, "yes");
	expect_body(&reply, 200, "text/plain; charset=utf-8", "yes");
	assert_null(reply.error_code);
	reply_json(&reply, 201, "{} and more", 2);
	expect_body(&reply, 201, "application/json", "{}");
	reply_old_text(&reply, 404, "not_found", "Not found!");
	expect_body(&reply, 404, "text/plain; charset=utf-8", "Not found!");
	assert_string_equal(reply.error_code, "not_found");
	assert_null(reply.free_body);
}

static void test_problems(void **state)
{
	const struct http_request request = {.id = "r-1"};
	struct http_reply reply = {0};

	(void)state;
	reply_problem(&request, &reply, 400, "bad_argument", "serial\"Number", "%s: \n%d", "no \"way\"", 5);
	expect_body(&reply, 400, "application/problem+json",
		    "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"no \\\"way\\\": \\n5\","
		    "\"code\":\"bad_argument\",\"request_id\":\"r-1\",\"field\":\"serial\\\"Number\"}");
	assert_string_equal(reply.error_code, "bad_argument");
	/* A second thought takes the place of the first. */
	reply_problem(&request, &reply, 503, "busy", NULL, "later");
	expect_body(
		&reply, 503, "application/problem+json",
		"{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"later\",\"code\":\"busy\","
		"\"request_id\":\"r-1\"}");
	assert_string_equal(reply.error_code, "busy");
	free(reply.free_body);
}

static void test_a_long_detail_is_cut_between_characters(void **state)
{
	const struct http_request request = {.id = "r-1"};

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		struct http_reply reply = {0};
		char detail[2000] = "abc";
		size_t size = shift;

		for (; size < sizeof(detail) - 4; size += 4)
			memcpy(detail + size, "\xf0\x9f\x98\x80", 4);
		detail[size] = '\0';
		reply_problem(&request, &reply, 400, "bad_argument", NULL, "%s", detail);
		assert_true(text_is_utf8(reply.body, reply.body_size));
		assert_true(reply.body_size > 1000);
		free(reply.free_body);
	}
}

static void test_headers(void **state)
{
	struct arena arena = {0};
	const struct http_request request = {.arena = &arena};
	struct http_reply reply = {0};

	(void)state;
	reply_header(&reply, "A", "b");
	reply_retry_after(&request, &reply, 17);
	assert_int_equal(reply.header_count, 2);
	assert_string_equal(reply.headers[0].name, "A");
	assert_string_equal(reply.headers[0].value, "b");
	assert_string_equal(reply.headers[1].name, "Retry-After");
	assert_string_equal(reply.headers[1].value, "17");
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_replies),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_a_long_detail_is_cut_between_characters),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
