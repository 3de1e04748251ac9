/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Decode out of a piece of memory that ends with the target, so that a sanitizer sees a byte too far. */
static bool decode(struct arena *arena, const char *target, struct http_request *request, const char **detail)
{
	size_t size = strlen(target);
	char *copy = malloc(size ? size : 1);
	bool good;

	assert_non_null(copy);
	for (size_t i = 0; i < size; i++)
		copy[i] = target[i];
	good = request_decode_target(arena, copy, size, request, detail);
	free(copy);
	return good;
}

static void expect(const char *target, const char *path, const char *const *pairs)
{
	struct arena arena = {0};
	struct http_request request = {0};
	const char *detail = NULL;
	size_t count = 0;

	if (!decode(&arena, target, &request, &detail))
		fail_msg("%s: %s", target, detail);
	assert_string_equal(request.target, target);
	assert_string_equal(request.path, path);
	for (; pairs[2 * count]; count++) {
		assert_in_range(count + 1, 1, request.query_count);
		assert_string_equal(request.query[count].name, pairs[2 * count]);
		assert_string_equal(request.query[count].value, pairs[2 * count + 1]);
	}
	assert_int_equal(request.query_count, count);
	arena_fini(&arena);
}

static void test_targets(void **state)
{
	(void)state;
	expect("/", "/", (const char *const[]){NULL});
	expect("/a?", "/a", (const char *const[]){NULL});
	expect("/a?&&", "/a", (const char *const[]){NULL});
	expect("/a?&b=c&&d=e&", "/a", (const char *const[]){"b", "c", "d", "e", NULL});
	expect("/a+b%2Bc?a+b%2Bc=d+e%2Bf", "/a+b+c", (const char *const[]){"a b+c", "d e+f", NULL});
	expect("/%61?%62=%63", "/a", (const char *const[]){"b", "c", NULL});
	expect("/a?b", "/a", (const char *const[]){"b", "", NULL});
	expect("/a?b=", "/a", (const char *const[]){"b", "", NULL});
	expect("/a?=b", "/a", (const char *const[]){"", "b", NULL});
	expect("/a?=", "/a", (const char *const[]){"", "", NULL});
	expect("/a?b=c=d?e", "/a", (const char *const[]){"b", "c=d?e", NULL});
	expect("/a?b=1&b=2", "/a", (const char *const[]){"b", "1", "b", "2", NULL});
	expect("/a?b=%26%3D%25&c=%E2%82%AC", "/a", (const char *const[]){"b", "&=%", "c", "\xe2\x82\xac", NULL});
	expect("http://h/a?b=c", "/a", (const char *const[]){"b", "c", NULL});
	expect("HTTPS://h:1/a/b", "/a/b", (const char *const[]){NULL});
	expect("/a%2Fb%2f?c=%2F", "/a%2Fb%2f", (const char *const[]){"c", "/", NULL}); /* no separator */
	expect("/a?b=%2541", "/a", (const char *const[]){"b", "%41", NULL});           /* once */
}

static void expect_refused(const char *target, const char *reason)
{
	struct arena arena = {0};
	struct http_request request = {0};
	const char *detail = NULL;

	assert_false(decode(&arena, target, &request, &detail));
	assert_non_null(detail);
	if (!strstr(detail, reason))
		fail_msg("%s: %s", target, detail);
	arena_fini(&arena);
}

static void test_refused_targets(void **state)
{
	(void)state;
	expect_refused("", "starts with a slash");
	expect_refused("*", "starts with a slash");
	expect_refused("a", "starts with a slash");
	expect_refused("http://h", "starts with a slash");
	expect_refused("http:///a", "starts with a slash");
	expect_refused("http://h?a=/b", "starts with a slash");
	expect_refused("ftp://h/a", "starts with a slash");
	expect_refused("/a b", "written as %XX");
	expect_refused("/a\x7f", "written as %XX");
	expect_refused("/a?b=\xc3\xa4", "written as %XX");
	expect_refused("/a\n", "written as %XX");
	expect_refused("/%", "two hex digits");
	expect_refused("/%4", "two hex digits");
	expect_refused("/a?b=%zz", "two hex digits");
	expect_refused("/a?b=%4z", "two hex digits");
	expect_refused("/a?b%4=c1", "two hex digits"); /* not across the sign */
	expect_refused("/a?b=%4&1=c", "two hex digits");
	expect_refused("/%00", "control characters");
	expect_refused("/a?b=%00", "control characters");
	expect_refused("/a?%0a=b", "control characters");
	expect_refused("/a?b=%7f", "control characters");
	expect_refused("/a?b=%C2%85", "control characters");
	expect_refused("/a?b=%ff", "UTF-8");
	expect_refused("/a?b=%C0%AF", "UTF-8");
	expect_refused("/a?b=%ED%A0%80", "UTF-8");
	expect_refused("/a?b=%E2%82&c=%AC", "UTF-8"); /* not across two values */
}

static void test_number_of_arguments(void **state)
{
	char target[512] = "/?";
	struct arena arena = {0};
	struct http_request request = {0};
	const char *detail = NULL;

	(void)state;
	for (size_t i = 0; i < 64; i++)
		memcpy(target + 2 + 4 * i, "a=b&", 5);
	assert_true(decode(&arena, target, &request, &detail));
	assert_int_equal(request.query_count, 64);
	memcpy(target + 2 + (size_t)4 * 64, "a", 2);
	expect_refused(target, "more than 64");
	arena_fini(&arena);
}

static void test_embedded_nul(void **state)
{
	struct arena arena = {0};
	struct http_request request = {0};
	const char *detail = NULL;

	(void)state;
	assert_false(request_decode_target(&arena, "/a\0b", 4, &request, &detail));
	assert_non_null(strstr(detail, "written as %XX"));
	arena_fini(&arena);
}

static void test_headers(void **state)
{
	const struct http_pair headers[] = {{"X-A", "1"}, {"x-b", "2"}, {"X-a", "3"}};
	const struct http_request request = {.headers = headers, .header_count = 3};

	(void)state;
	assert_string_equal(request_header(&request, "x-A"), "1");
	assert_string_equal(request_header(&request, "X-B"), "2");
	assert_null(request_header(&request, "X"));
	assert_null(request_header(&request, "X-AB"));
}

static void test_tokens(void **state)
{
	char text[66];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[64] = '\0';
	assert_true(request_is_token(text));
	text[64] = 'a';
	text[65] = '\0';
	assert_false(request_is_token(text));
	assert_true(request_is_token("aZ09._-"));
	assert_false(request_is_token(""));
	assert_false(request_is_token("a b"));
	assert_false(request_is_token("a/b"));
	assert_false(request_is_token("\xc3\xa4"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_refused_targets),
		cmocka_unit_test(test_number_of_arguments),
		cmocka_unit_test(test_embedded_nul),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
