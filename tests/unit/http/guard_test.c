/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.h on heads that are split in place as libmicrohttpd 0.9 does it; listener_test.c does the same through the library.
 */
#include "core/http/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A header that begins at `text`: its name and value, up to CR LF; both are replaced by NULs, as is the colon. */
static char *split_header(struct guard *guard, char *text)
{
	char *colon = strchr(text, ':');
	char *value = colon + 1 + strspn(colon + 1, " ");
	char *end = strstr(value, "\r\n");

	*colon = '\0';
	end[0] = end[1] = '\0';
	guard_header(guard, text, (size_t)(colon - text), value, (size_t)(end - value));
	return end + 2;
}

static void read_head(struct guard *guard, char *head)
{
	char *target = strchr(head, ' ') + 1;
	char *version = strchr(target, ' ') + 1;
	char *line = strstr(version, "\r\n");

	guard_init(guard);
	target[-1] = version[-1] = line[0] = line[1] = '\0';
	guard_request_line(guard, head, target, (size_t)(version - 1 - target), version);
	for (line += 2; strncmp(line, "\r\n", 2) != 0;)
		line = split_header(guard, line);
	line[0] = line[1] = '\0';
	guard_end(guard, line + 2, strcmp(version, "HTTP/1.1") == 0);
}

static void expect(const char *text, const char *fault, size_t body_size)
{
	struct guard guard;
	char head[512];

	assert_true(strlen(text) < sizeof(head));
	memcpy(head, text, strlen(text) + 1);
	read_head(&guard, head);
	if (!fault && guard.fault)
		fail_msg("%s", guard.fault);
	if (fault) {
		assert_non_null(guard.fault);
		assert_non_null(strstr(guard.fault, fault));
	} else {
		assert_int_equal(guard_body_size(&guard), body_size);
	}
}

#define START "GET /a HTTP/1.1\r\nHost: h\r\n"

static void test_good_heads(void **state)
{
	(void)state;
	expect(START "\r\n", NULL, 0);
	expect("GET /a HTTP/1.0\r\nX-Request-Id: a\r\n\r\n", NULL, 0);
	expect(START "Empty:\r\nTab: a\tb\r\nHigh: \xc3\xa4\r\n\r\n", NULL, 0);
	expect(START "content-length: 12\r\n\r\n", NULL, 12);
	expect(START "Content-Length: 0\r\n\r\n", NULL, 0);
	expect(START "Content-Length: 9223372036854775807\r\n\r\n", NULL, INT64_MAX);
	expect(START "TRANSFER-ENCODING: Chunked\r\n\r\n", NULL, SIZE_MAX);
}

static void test_bad_heads(void **state)
{
	(void)state;
	expect("GET /a HTTP/1.1\r\nA: b\r\n\r\n", "no Host", 0);
	expect(START "host: h\r\n\r\n", "more than one Host", 0);
	expect(START "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "more than one Content-Length", 0);
	expect(START "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "more than one Transfer-Encoding", 0);
	expect(START "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "both", 0);
	expect(START "Transfer-Encoding: gzip\r\n\r\n", "only Transfer-Encoding", 0);
	expect(START "Content-Length: 1x\r\n\r\n", "not a whole number", 0);
	expect(START "Content-Length: +1\r\n\r\n", "not a whole number", 0);
	expect(START "Content-Length:\r\n\r\n", "not a whole number", 0);
	expect(START "Content-Length: 99999999999999999999\r\n\r\n", "not a whole number", 0);
	expect(START "A : b\r\n\r\n", "name of a header", 0);
	expect(START "A\x01: b\r\n\r\n", "name of a header", 0);
	expect(START ": b\r\n\r\n", "name of a header", 0);
	expect(START "A: b\rc\r\n\r\n", "control character", 0);
	expect(START "A: b\x7f\r\n\r\n", "control character", 0);
}

/* What the reader passed over shows as a gap. */
static void test_gaps(void **state)
{
	struct guard guard;
	char head[] = "GET\0/a\0HTTP/1.1\0\0A\0 bxc\0\0B\0 d\0\0\0";
	char *target = head + 4;
	char *version = head + 7;
	char *a = head + 17;
	char *b = head + 25;

	(void)state;
	guard_init(&guard);
	guard_request_line(&guard, head, target, 2, version);
	assert_null(guard.fault);
	guard_header(&guard, a, 1, a + 3, 3);
	assert_null(guard.fault);
	guard_header(&guard, b, 1, b + 3, 1);
	guard_end(&guard, b + 8, false);
	assert_null(guard.fault);
	head[21] = '\0';
	guard_init(&guard); /* the value of A is thought to end at its NUL */
	guard_request_line(&guard, head, target, 2, version);
	guard_header(&guard, a, 1, a + 3, 1);
	assert_non_null(guard.fault);
	head[21] = 'x';
	guard_init(&guard); /* a header that is missing at the end */
	guard_request_line(&guard, head, target, 2, version);
	guard_header(&guard, a, 1, a + 3, 3);
	guard_end(&guard, b + 8, false);
	assert_non_null(guard.fault);
	guard_init(&guard); /* a target that is shorter than what stands there */
	guard_request_line(&guard, head, target, 1, version);
	assert_non_null(guard.fault);
	guard_init(&guard); /* nothing is known about lines */
	guard_header(&guard, b, 1, b + 3, 1);
	guard_end(&guard, NULL, false);
	assert_null(guard.fault);
}

static void test_number_of_headers(void **state)
{
	struct guard guard;

	(void)state;
	guard_init(&guard);
	for (size_t i = 0; i < GUARD_HEADERS + 10; i++)
		guard_header(&guard, "A", 1, "b", 1);
	assert_int_equal(guard.count, GUARD_HEADERS + 10);
	assert_string_equal(guard.headers[GUARD_HEADERS - 1].name, "A");
	guard_init(&guard);
	assert_int_equal(guard.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_heads),
		cmocka_unit_test(test_bad_heads),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_number_of_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
