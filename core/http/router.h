/* SPDX-License-Identifier: Apache-2.0
 *
 * router.h - which handler answers which path, from a static table.
 */
#ifndef CORE_HTTP_ROUTER_H
#define CORE_HTTP_ROUTER_H

#include "core/http/reply.h"
#include "core/http/request.h"

enum route_place {
	ROUTE_INLINE, /* answered on the HTTP thread: memory, or one read that never waits */
	ROUTE_WORKER, /* may wait: the connection is suspended, a worker runs the handler */
	ROUTE_EXPORT, /* may wait for an exporter: workers of its own, those of the streams */
	ROUTE_INJECT, /* waits for a gateway: workers of its own */
};

/* What a caller must be allowed to do, to be let in (core/access). Bits, so that a token may have several. */
enum http_scope {
	SCOPE_OPEN = 0, /* for everybody: health, the pages themselves */
	SCOPE_PROVISION = 1 << 0,
	SCOPE_READ = 1 << 1,
	SCOPE_EXPORT = 1 << 2,
	SCOPE_OPERATE = 1 << 3, /* orders, grants, resolve, retire */
	SCOPE_AUDIT = 1 << 4,
};

/* Fill *reply. Straight-line code; `context` is the one given to the listener. */
typedef void (*route_handler)(void *context, struct http_request *request, struct http_reply *reply);

struct route {
	const char
		*path; /* without prefix: "/enrollment-id"; exact, or ending in a star: any tail below it ("/export/" and a star) */
	unsigned methods; /* HTTP_GET | ...; OPTIONS is answered by the router */
	enum route_place place;
	enum http_scope scope;
	enum http_scope post_scope; /* of POST, where it changes what the others read; SCOPE_OPEN: `scope`, too */
	unsigned body_limit;        /* bytes; 0: EXCHANGE_BODY_MAX */
	bool exact_prefix;          /* only without /v3, and no trailing slash is tolerated (the pages of /docs) */
	route_handler handler;
};

/* The route of a decoded path, or NULL. `routes` ends with a NULL path. One trailing slash is tolerated. Sets request->prefixed
 * and request->tail. */
const struct route *router_match(const struct route *routes, struct http_request *request);
/* "GET, HEAD, OPTIONS" for a route; text lives for ever or in the arena. */
const char *router_allow(struct arena *arena, const struct route *route);

#endif
