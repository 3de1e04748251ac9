/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/router.h"

#include <string.h>

#define PREFIX "/v3"
#define PREFIX_SIZE (sizeof(PREFIX) - 1)

/* No route has a path like that, and no tail of a route with a star may: it would mean another place to who reads it as a file. */
static bool is_plain(const char *path)
{
	for (const char *slash = path; (slash = strchr(slash, '/')); slash++) {
		if (slash[1] == '/')
			return false;
		if (slash[1] == '.' && slash[2] == '.' && (slash[3] == '/' || slash[3] == '\0'))
			return false;
	}
	return true;
}

/* Do the first `size` bytes of `path` fit the route? The tail is what stands for the star. */
static bool fits(const struct route *route, const char *path, size_t size, const char **ret_tail)
{
	size_t route_size = strlen(route->path);

	if (route_size && route->path[route_size - 1] == '*') {
		/* Of a route that tolerates no trailing slash, the folder itself is part: its tail is empty. */
		if (size < route_size - 1 || memcmp(path, route->path, route_size - 1) != 0)
			return false;
		*ret_tail = path + route_size - 1;
		return true;
	}
	*ret_tail = "";
	return size == route_size && memcmp(path, route->path, size) == 0;
}

/* The tail ends where the tolerated slash was. */
static bool keep_tail(struct http_request *request, const char *tail, const char *end)
{
	request->tail = *end == '\0' || *tail == '\0' ? tail : arena_copy(request->arena, tail, (size_t)(end - tail));
	return request->tail != NULL;
}

const struct route *router_match(const struct route *routes, struct http_request *request)
{
	const char *path = request->path;
	size_t path_size = strlen(path);
	bool prefixed = strncmp(path, PREFIX "/", PREFIX_SIZE + 1) == 0;
	const char *rest = prefixed ? path + PREFIX_SIZE : path;
	size_t size = path_size - (size_t)(rest - path);

	request->prefixed = prefixed;
	request->tail = "";
	if (!is_plain(path))
		return NULL;
	if (size > 1 && rest[size - 1] == '/')
		size--;
	for (const struct route *route = routes; route->path; route++) {
		const char *tail;

		if (route->exact_prefix) {
			if (fits(route, path, path_size, &tail)) {
				request->tail = tail;
				return route;
			}
		} else if (fits(route, rest, size, &tail)) {
			return keep_tail(request, tail, rest + size) ? route : NULL;
		}
	}
	return NULL;
}

const char *router_allow(struct arena *arena, const struct route *route)
{
	const char *text = arena_format(arena, "%s%s%sOPTIONS", route->methods & HTTP_GET ? "GET, " : "",
					route->methods & HTTP_HEAD ? "HEAD, " : "", route->methods & HTTP_POST ? "POST, " : "");

	return text ? text : "OPTIONS";
}
