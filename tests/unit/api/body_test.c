/* SPDX-License-Identifier: Apache-2.0
 *
 * body_test.c - from a JSON body to names and texts.
 */
#include "support.h"

#include "core/api/body.h"
#include "core/api/fields.h"

#include <string.h>

static bool parse(struct support *support, struct http_pair **ret_pairs, size_t *ret_count)
{
	return body_parse(&support->request, ret_pairs, ret_count, &support->reply);
}

static void assert_member(struct support *support, const char *body, const char *name, const char *value)
{
	struct http_pair *pairs = NULL;
	size_t count = 0;

	support_post(support, body);
	if (!parse(support, &pairs, &count))
		fail_msg("%s is refused", body);
	assert_int_equal(count, 1);
	assert_string_equal(pairs[0].name, name);
	assert_string_equal(pairs[0].value, value);
}

/* Refused, with the name of the member that is to blame; NULL: the whole body is. */
static void assert_refused(struct support *support, const char *body, const char *field)
{
	struct http_pair *pairs = NULL;
	size_t count = 77;

	support_post(support, body);
	if (parse(support, &pairs, &count))
		fail_msg("%s is taken", body);
	support_assert_problem(support, 400, field ? "bad_argument" : "bad_request", field);
	assert_null(pairs);
	assert_int_equal(count, 77);
}

static void members(void **state)
{
	struct support *support = *state;

	assert_member(support, "{\"serialNumber\":\"S\"}", "serialNumber", "S");
	assert_member(support, " { \"OU\" : \"a b\" } \n", "OU", "a b");
	assert_member(support, "{\"OU\":\"\"}", "OU", "");
	assert_member(support, "{\"OU\":\"\\u00e4\\n\\\"\"}", "OU", "\xc3\xa4\n\"");
	assert_member(support, "{\"OU\":\"\\ud83d\\ude00\"}", "OU", "\xf0\x9f\x98\x80");
	assert_member(support, "{\"port\":7777}", "port", "7777");
	assert_member(support, "{\"port\":\"7777\"}", "port", "7777");
	assert_member(support, "{\"port\":-1}", "port", "-1"); /* for the field to refuse */
	assert_member(support, "{\"ethernetMAC\":[1,2,3,4,5,255]}", "ethernetMAC", "1,2,3,4,5,255");
	assert_member(support, "{\"ethernetMAC\":[7]}", "ethernetMAC", "7");
	assert_member(support, "{\"sixBMAC\":[-9223372036854775808,9223372036854775807]}", "sixBMAC",
		      "-9223372036854775808,9223372036854775807");
	assert_member(support, "{\"unknown\":\"x\"}", "unknown", "x"); /* fields.c says that it is */
	assert_member(support, "{\"\":\"x\"}", "", "x");
}

static void many_members_in_their_order(void **state)
{
	struct support *support = *state;
	struct http_pair *pairs = NULL;
	size_t count = 0;

	support_post(support, "{\"serialNumber\":\"S\",\"port\":1,\"sixBMAC\":[1,2],\"OU\":\"o\"}");
	assert_true(parse(support, &pairs, &count));
	assert_int_equal(count, 4);
	assert_string_equal(pairs[0].name, "serialNumber");
	assert_string_equal(pairs[1].value, "1");
	assert_string_equal(pairs[2].value, "1,2");
	assert_string_equal(pairs[3].value, "o");
	support_post(support, "{}");
	assert_true(parse(support, &pairs, &count));
	assert_int_equal(count, 0);
}

static void other_types(void **state)
{
	static const char *const values[] = {"null", "true", "1", "1.5", "{}", "[]", "[\"x\"]"};
	static const char *const macs[] = {"null",  "\"1,2,3,4,5,6\"", "\"\"",    "1",      "{\"0\":1}", "[]",
					   "[1.0]", "[1,2,3,4,5,6.5]", "[\"1\"]", "[null]", "[[1]]",     "[true]"};
	static const char *const port[] = {"1.5", "7777.0", "1e3", "null", "true", "[1]", "{}"};
	struct support *support = *state;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_refused(support, arena_format(&support->arena, "{\"serialNumber\":%s}", values[i]), "serialNumber");
	for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++)
		assert_refused(support, arena_format(&support->arena, "{\"ethernetMAC\":%s}", macs[i]), "ethernetMAC");
	for (size_t i = 0; i < sizeof(port) / sizeof(port[0]); i++)
		assert_refused(support, arena_format(&support->arena, "{\"port\":%s}", port[i]), "port");
	assert_refused(support, "{\"deployed\":true}", "deployed");
}

static void no_json_object(void **state)
{
	static const char *const bodies[] = {
		" ",
		"{",
		"}",
		"[]",
		"\"x\"",
		"1",
		"null",
		"{} {}",
		"{\"a\":\"b\",}",
		"{'a':'b'}",
		"{a:1}",
		"{\"a\":\"b\",\"a\":\"b\"}", /* twice */
		"{\"OU\":\"a\\u0000b\"}",    /* NUL */
		"{\"O\\u0000U\":\"a\"}",
		"{\"OU\":\"\\ud800\"}", /* half a pair */
		"{\"OU\":\"\xff\"}",    /* not UTF-8 */
		"{\"OU\":\"a\nb\"}",    /* a control character that is not escaped */
		"{\"port\":99999999999999999999999}",
		"serialNumber=S",
		"\xef\xbb\xbf{}", /* a byte order mark */
	};
	struct support *support = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_refused(support, bodies[i], NULL);
}

static void a_number_list_has_an_end(void **state)
{
	struct support *support = *state;
	const char *ones = support_repeat(support, "1,", 99);
	struct http_pair *pairs = NULL;
	size_t count = 0;

	support_post(support, arena_format(&support->arena, "{\"sixBMAC\":[%s1]}", ones));
	assert_true(parse(support, &pairs, &count));
	assert_int_equal(strlen(pairs[0].value), 199);
	assert_refused(support, arena_format(&support->arena, "{\"sixBMAC\":[%s1,1]}", ones), "sixBMAC");
}

static void deep_nesting(void **state)
{
	struct support *support = *state;
	const char *open = support_repeat(support, "[", 30000);

	assert_refused(support, arena_format(&support->arena, "{\"OU\":%s", open), NULL);
	assert_refused(support, support_repeat(support, "{\"a\":", 10000), NULL);
}

static void no_body(void **state)
{
	struct support *support = *state;
	struct http_pair *pairs = NULL;
	size_t count = 0;

	support_post(support, "");
	assert_false(parse(support, &pairs, &count));
	support_assert_problem(support, 400, "bad_request", NULL);
}

static void media_types(void **state)
{
	static const char *const good[] = {"application/json", "Application/JSON", "application/json; charset=utf-8",
					   "application/json;charset=UTF-8", "application/json ;x=y"};
	static const char *const bad[] = {"",
					  "text/json",
					  "application/jsonx",
					  "application/json-patch+json",
					  "application/x-www-form-urlencoded",
					  "application",
					  "text/plain; application/json"};
	struct support *support = *state;
	struct http_pair *pairs = NULL;
	size_t count = 0;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		support_post(support, "{}");
		support->headers[0].value = good[i];
		assert_true(parse(support, &pairs, &count));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		support_post(support, "{}");
		support->headers[0].value = bad[i];
		assert_false(parse(support, &pairs, &count));
		support_assert_problem(support, 415, "unsupported_media_type", NULL);
	}
	support_post(support, "{}");
	support->request.header_count = 0;
	assert_false(parse(support, &pairs, &count));
	support_assert_problem(support, 415, "unsupported_media_type", NULL);
}

/* A query and a body that say the same are the same request. */
static void the_same_as_a_query(void **state)
{
	struct support *support = *state;
	struct provision_request by_query;
	struct provision_request by_body;
	struct http_pair *pairs = NULL;
	size_t count = 0;

	support_pair(support, "serialNumber", "S");
	support_pair(support, "ethernetMAC", "1,2,3,4,5,6");
	support_pair(support, "port", "7001");
	assert_true(fields_parse(&support->api, &support->request, support->pairs, 3, &by_query, &support->reply));
	support_post(support, "{\"port\":7001,\"ethernetMAC\":[1,2,3,4,5,6],\"serialNumber\":\"S\"}");
	assert_true(parse(support, &pairs, &count));
	assert_true(fields_parse(&support->api, &support->request, pairs, count, &by_body, &support->reply));
	assert_string_equal(by_query.fields.request_digest, by_body.fields.request_digest);
	assert_int_equal(by_body.target.port, 7001);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, support_set_up, support_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(members),
		TEST(many_members_in_their_order),
		TEST(other_types),
		TEST(no_json_object),
		TEST(a_number_list_has_an_end),
		TEST(deep_nesting),
		TEST(no_body),
		TEST(media_types),
		TEST(the_same_as_a_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
