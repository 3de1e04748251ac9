/* SPDX-License-Identifier: Apache-2.0
 *
 * request.h - one HTTP request, checked and decoded once. Knows nothing of libmicrohttpd.
 *
 * By the time a handler sees it: framing is unambiguous, path and query are decoded, valid UTF-8 and free of control characters.
 * Everything in it lives until the reply has been sent. One thread at a time.
 */
#ifndef CORE_HTTP_REQUEST_H
#define CORE_HTTP_REQUEST_H

#include "core/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_method {
	HTTP_GET = 1 << 0,
	HTTP_HEAD = 1 << 1,
	HTTP_POST = 1 << 2,
	HTTP_OPTIONS = 1 << 3,
	HTTP_OTHER = 1 << 4,
};

struct http_pair {
	const char *name, *value; /* NUL-terminated, decoded */
};

struct http_request {
	struct arena *arena;
	enum http_method method;
	const char *target;      /* as it came, not decoded: path and query, or a URL with them; may hold secrets */
	const char *path;        /* decoded, without query, with its prefix: "/v3/enrollment-id" */
	bool prefixed;           /* the path began with /v3 */
	const char *tail;        /* for a route that ends in a slash and a star: what stands for the star; else "" */
	struct http_pair *query; /* in order; empty pairs are skipped; names may repeat: the handler decides */
	size_t query_count;
	const char *body; /* NULL: none. Not decoded; body[body_size] is a NUL that does not count */
	size_t body_size;
	const char *peer;    /* the peer's numeric address, v4-mapped as plain IPv4 */
	const char *actor;   /* who asks: a token's or certificate's name, "anonymous", or "local"; never NULL for a handler */
	const char *station; /* the name of the station that asks; NULL: it has none but its address */
	const char *certificate_sha256;  /* of the client certificate that TLS has verified, 64 lower-case hex digits; NULL: none */
	const char *certificate_name;    /* the common name in it; NULL: none */
	const char *id;                  /* the request id */
	int64_t start_boot_ms;           /* when its first line had been read */
	const struct http_pair *headers; /* names as they came */
	size_t header_count;
};

/* The value of a header, case of the name ignored; NULL: absent. The first, if it repeats. */
const char *request_header(const struct http_request *request, const char *name);

/* Split and decode a raw target ("/v3/x?a=b", or "http://h/v3/x?a=b" as proxies write it, RFC 9112 3.2.2) into path and query: %XX
 * once, but %2F in a path stays as it is; `+` is a space in the query only; empty pairs are skipped. False, with a sentence in
 * *ret_detail: bad escape, control character, NUL, invalid UTF-8, bytes over 127, more than 64 pairs, no path, out of memory. Sets
 * target, path, query and query_count only. [any thread] */
bool request_decode_target(struct arena *arena, const char *target, size_t size, struct http_request *ret_request,
			   const char **ret_detail);

/* A request id that may be used as it is: 1 to 64 of [A-Za-z0-9._-]. Idempotency keys follow the same rule. */
bool request_is_token(const char *text);

#endif
