/* SPDX-License-Identifier: Apache-2.0
 *
 * reply.h - what is to be answered. A handler fills it; core/http/listener.c sends it.
 *
 * X-Request-Id, Cache-Control: no-store, X-Content-Type-Options: nosniff and Date are added to every reply by the listener.
 */
#ifndef CORE_HTTP_REPLY_H
#define CORE_HTTP_REPLY_H

#include "core/base/arena.h"
#include "core/http/request.h"
#include "core/http/stream.h"

#include <stddef.h>

#define REPLY_HEADERS 8u

struct broadcast;

struct http_reply {
	unsigned status;
	const char *content_type; /* NULL: no body */
	const void *body;         /* lives as long as the request's arena, or for ever, or until free_body */
	size_t body_size;
	void *free_body;             /* not NULL: free() this after sending */
	struct stream *stream;       /* instead of body: content that is made while it is sent; closed by the listener */
	struct broadcast *broadcast; /* instead of body: its messages, as long as the peer stays; full: 503 `busy` */
	const char *error_code;      /* becomes Pep-Error; NULL: none */
	bool cacheable;              /* leave out no-store (pages of /docs only) */
	struct http_pair headers[REPLY_HEADERS];
	size_t header_count;
	const char *serial; /* for the access log; NULL: none */
};

/* Add a header; more than REPLY_HEADERS is a programming error. Texts as `body`. */
void reply_header(struct http_reply *reply, const char *name, const char *value);
void reply_text(struct http_reply *reply, unsigned status, const char *text);              /* text/plain; charset=utf-8 */
void reply_json(struct http_reply *reply, unsigned status, const char *json, size_t size); /* application/json */

/* application/problem+json (RFC 9457): type, title, status, detail, code, request_id, and field if not NULL. */
__attribute__((format(printf, 6, 7))) void reply_problem(const struct http_request *request, struct http_reply *reply,
							 unsigned status, const char *code, const char *field, const char *format,
							 ...);
/* A plain text error of the original, with its code. */
void reply_old_text(struct http_reply *reply, unsigned status, const char *code, const char *text);
/* The same with Retry-After. */
void reply_retry_after(const struct http_request *request, struct http_reply *reply, unsigned seconds);

#endif
