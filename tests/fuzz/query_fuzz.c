/* SPDX-License-Identifier: Apache-2.0
 *
 * The target of a request: split, decoded, and looked up among routes. What comes out must be clean, and what came in must be kept.
 */
#include "fuzz.h"

#include "core/base/text.h"
#include "core/http/router.h"

#include <stdlib.h>
#include <string.h>

static void handle(void *context, struct http_request *request, struct http_reply *reply)
{
	(void)context;
	(void)request;
	(void)reply;
}

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_clean(const char *text)
{
	demand(text_is_printable(text, strlen(text)));
}

static void check_route(struct http_request *request)
{
	static const struct route routes[] = {
		{.path = "/identity", .methods = HTTP_GET | HTTP_POST, .handler = handle},
		{.path = "/export/*", .methods = HTTP_GET, .handler = handle},
		{.path = "/docs/*", .methods = HTTP_GET, .exact_prefix = true, .handler = handle},
		{.path = NULL},
	};
	const struct route *route = router_match(routes, request);

	if (!route)
		return;
	check_clean(request->tail);
	demand(!strstr(request->path, "//") && !strstr(request->path, "/../"));
	demand(strstr(request->path, request->tail) != NULL);
	demand(strncmp(request->path + (request->prefixed ? 3 : 0), route->path, strlen(route->path) - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct http_request request = {.arena = &arena};
	const char *detail = NULL;

	if (!request_decode_target(&arena, (const char *)data, size, &request, &detail)) {
		demand(detail != NULL);
		arena_fini(&arena);
		return 0;
	}
	demand(strlen(request.target) == size && memcmp(request.target, data, size) == 0);
	demand(request.path[0] == '/' && request.query_count <= 64);
	check_clean(request.path);
	for (size_t i = 0; i < request.query_count; i++) {
		check_clean(request.query[i].name);
		check_clean(request.query[i].value);
	}
	check_route(&request);
	arena_fini(&arena);
	return 0;
}
