/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void never(void *context, struct http_request *request, struct http_reply *reply)
{
	(void)context;
	(void)request;
	(void)reply;
	abort();
}

enum { ONE, ONES, EXPORT, DOCS, DOCS_BELOW, NONE };
static const struct route routes[] = {
	[ONE] = {.path = "/one", .methods = HTTP_GET | HTTP_POST, .handler = never},
	[ONES] = {.path = "/ones", .methods = HTTP_GET | HTTP_HEAD, .handler = never},
	[EXPORT] = {.path = "/export/*", .methods = HTTP_GET, .handler = never},
	[DOCS] = {.path = "/docs", .methods = HTTP_GET, .exact_prefix = true, .handler = never},
	[DOCS_BELOW] = {.path = "/docs/*", .methods = HTTP_GET, .exact_prefix = true, .handler = never},
	[NONE] = {.path = NULL},
};

static void expect(const char *path, int index, bool prefixed, const char *tail)
{
	struct arena arena = {0};
	struct http_request request = {.arena = &arena, .path = path};
	const struct route *route = router_match(routes, &request);

	if (route != (index == NONE ? NULL : &routes[index]))
		fail_msg("%s finds %s", path, route ? route->path : "nothing");
	if (route) {
		assert_int_equal(request.prefixed, prefixed);
		assert_string_equal(request.tail, tail);
	}
	arena_fini(&arena);
}

static void test_exact_paths(void **state)
{
	(void)state;
	expect("/one", ONE, false, "");
	expect("/one/", ONE, false, "");
	expect("/v3/one", ONE, true, "");
	expect("/v3/one/", ONE, true, "");
	expect("/v3/ones", ONES, true, "");
	expect("/one//", NONE, false, "");
	expect("//one", NONE, false, "");
	expect("/v3//one", NONE, false, "");
	expect("/v3/v3/one", NONE, false, "");
	expect("/v3one", NONE, false, "");
	expect("/V3/one", NONE, false, "");
	expect("/One", NONE, false, "");
	expect("/on", NONE, false, "");
	expect("/one/x", NONE, false, "");
	expect("/", NONE, false, "");
	expect("/v3", NONE, false, "");
	expect("/v3/", NONE, false, "");
	expect("/v2/one", NONE, false, "");
	expect("/./one", NONE, false, "");
	expect("/x/../one", NONE, false, "");
}

static void test_tails(void **state)
{
	(void)state;
	expect("/export/csv", EXPORT, false, "csv");
	expect("/v3/export/csv/", EXPORT, true, "csv");
	expect("/export/a/b", EXPORT, false, "a/b");
	expect("/export/..x", EXPORT, false, "..x");
	expect("/export/", NONE, false, "");
	expect("/export", NONE, false, "");
	expect("/export/..", NONE, false, "");
	expect("/export/../one", NONE, false, "");
	expect("/export//csv", NONE, false, "");
}

static void test_pages_are_where_they_are(void **state)
{
	(void)state;
	expect("/docs", DOCS, false, "");
	expect("/docs/", DOCS_BELOW, false, "");
	expect("/docs/a", DOCS_BELOW, false, "a");
	expect("/docs/a/", DOCS_BELOW, false, "a/");
	expect("/v3/docs", NONE, false, "");
	expect("/v3/docs/a", NONE, false, "");
}

static void test_allow(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_string_equal(router_allow(&arena, &routes[ONE]), "GET, POST, OPTIONS");
	assert_string_equal(router_allow(&arena, &routes[ONES]), "GET, HEAD, OPTIONS");
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_paths),
		cmocka_unit_test(test_tails),
		cmocka_unit_test(test_pages_are_where_they_are),
		cmocka_unit_test(test_allow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
