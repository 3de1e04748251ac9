/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange.h - one request and its reply on one connection: the HTTP library's callbacks between accept and close.
 *
 * Every connection has one exchange, used again for each of its requests. It belongs to the connection's HTTP thread; while the
 * connection is suspended it belongs to the worker that runs the handler, up to the resume.
 */
#ifndef CORE_HTTP_EXCHANGE_H
#define CORE_HTTP_EXCHANGE_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/http/broadcast.h"
#include "core/http/connection.h"
#include "core/http/feed.h"
#include "core/http/guard.h"
#include "core/http/listener.h"
#include "core/http/pool.h"

#include <microhttpd.h>

#define EXCHANGE_TARGET_MAX 4096u
#define EXCHANGE_BODY_MAX 65536u /* where a route does not say otherwise */

/* What all exchanges of a listener share. */
struct serving {
	const struct listener_settings *settings;
	struct connections connections;
	struct pool *workers, *exports, *injections;
	struct feeds *feeds;
	_Atomic(bool) draining;
	bool check_lines; /* the library splits the head in place, so that guard.h can see what it passed over */
	char id_prefix[9];
	_Atomic(uint64_t) id_next;
};

enum exchange_step {
	EXCHANGE_IDLE,    /* between two requests */
	EXCHANGE_HEAD,    /* the request line was read */
	EXCHANGE_BODY,    /* the head was accepted, the body is being read */
	EXCHANGE_WORKING, /* the handler runs, or waits for a worker */
	EXCHANGE_READY,   /* the reply is filled */
	EXCHANGE_SENDING, /* the library has it */
};

struct exchange {
	struct connection connection; /* the first member */
	struct serving *serving;
	struct MHD_Connection *mhd;
	struct arena arena, fresh_arena; /* `fresh_arena`: as it was before the request */
	struct tls_peer certificate;     /* of the peer; known from its first request on */
	bool has_identified;
	/* Reset for every request: */
	enum exchange_step step;
	bool old_http; /* HTTP/1.0: no chunks */
	bool has_target;
	bool refused;           /* the reply is filled; the body is read and forgotten */
	const char *raw_target; /* the library's, to compare addresses only */
	size_t raw_size;
	const char *detail;      /* why the target is no good */
	const char *method_name; /* for the log */
	const struct route *route;
	struct feed *feed;
	struct broadcast_reader *reader;
	uint64_t sent; /* bytes of a stream */
	struct buffer body;
	struct http_request request;
	struct http_reply reply;
	struct pool_job job;
	char id[65];
	struct guard guard;
};

/* A connection was accepted; NULL: out of memory. */
struct exchange *exchange_open(struct serving *serving, struct MHD_Connection *mhd);
/* It is about to be closed. */
void exchange_close(struct exchange *exchange);

/* The request line was read. `uri` is in the library's buffer; its arguments are cut off after they were decoded here. */
void exchange_begin(struct exchange *exchange, char *uri);
/* The library's access handler: once after the head, for each piece of the body, when the request is whole, and after a resume. */
enum MHD_Result exchange_advance(struct exchange *exchange, const char *method, const char *version, const char *data,
				 size_t *data_size);
/* The reply was sent, or the connection failed. */
void exchange_end(struct exchange *exchange, enum MHD_RequestTerminationCode how);

/* entrance.c: find the route, ask whether the peer may have it. False: the reply is filled. [HTTP thread] */
bool exchange_enter(struct exchange *exchange);
/* entrance.c: the request is whole. False: it comes too late, or its body was too large; the reply is filled. [HTTP thread] */
bool exchange_may_start(struct exchange *exchange);
/* The peer's request id, if it is fit for use and the guard has seen it, or a new one. */
void exchange_choose_id(struct exchange *exchange);

/* peer.c: the connection's TLS session; NULL: it is not encrypted. */
gnutls_session_t exchange_session(const struct exchange *exchange);
/* peer.c: put the peer's client certificate, if it has a good one, into the request. [HTTP thread] */
void exchange_identify(struct exchange *exchange);
/* mend.c: to be called when the library logs that it cannot read a Content-Length. It answers that itself and sends the head of the
 * reply twice (0.9.75), so we are quicker: our reply goes out, and the connection is shut for what it sends after. [HTTP thread] */
void exchange_refuse_length(struct serving *serving);
/* access.c: one line for the log. `status`: what was sent; `is_whole`: to its last byte. */
void access_log(const struct exchange *exchange, unsigned status, bool is_whole);
/* answer.c: give the reply to the library. MHD_NO closes the connection. */
enum MHD_Result exchange_answer(struct exchange *exchange);

#endif
