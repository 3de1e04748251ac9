/* SPDX-License-Identifier: Apache-2.0
 *
 * listener.h - accepts connections, reads requests, finds their route, sends replies. libmicrohttpd is known behind it only: in
 * listener.c, exchange.c, answer.c, mend.c and access.c.
 *
 * An inline handler runs on an HTTP thread. For the others the connection is suspended, a bounded queue takes the request, a
 * bounded pool of threads runs the handler from top to bottom, and the connection is resumed. A full queue is 503 `busy` with
 * Retry-After.
 */
#ifndef CORE_HTTP_LISTENER_H
#define CORE_HTTP_LISTENER_H

#include "core/http/router.h"
#include "core/http/tls.h"

#include <pep/plugin.h>

struct listener;
struct broadcast;
struct traffic;

struct listener_settings {
	const char *address;                  /* numeric IPv4 or IPv6 */
	uint16_t port;                        /* 0: any free one */
	unsigned threads;                     /* HTTP threads (epoll) */
	unsigned connections;                 /* at the same time, over all threads */
	unsigned connections_per_address;     /* 0: any */
	unsigned workers, worker_queue;       /* for ROUTE_WORKER; as many for ROUTE_EXPORT and streams */
	unsigned injections, injection_queue; /* for ROUTE_INJECT; at most half the connections together */
	int64_t header_timeout_ms; /* from accept (or the end of the previous reply) to the end of the headers and body */
	int64_t idle_timeout_ms;   /* without a byte */
	bool access_log;
	struct tls *tls;             /* borrowed; NULL: plain HTTP */
	struct traffic *traffic;     /* what is counted; NULL: nothing is */
	struct broadcast *broadcast; /* told when an injection begins or ends, ended by listener_drain(); NULL: there is none */
	const struct route *routes;
	void *context; /* given to every handler */
	/* May the peer have what needs `scope`? Asked after the head of every request that can be read, before its body is kept. False:
	 * *reply says why. Sets request->actor and request->station. NULL: everybody may have everything, as "local". [HTTP thread] */
	bool (*admit)(void *context, enum http_scope scope, struct http_request *request, struct http_reply *reply);
	void *admit_context;
};

/* Bind, listen and start every thread; none of them takes signals, and SIGPIPE is ignored from here on. Settings and routes are
 * borrowed until listener_stop() returned.
 * Errors name address and port and what to do ("in use: ..."). [main thread] */
pep_status listener_start(const struct listener_settings *settings, struct listener **ret_listener, struct pep_error *err);
/* The port that it listens on. */
uint16_t listener_port(const struct listener *listener);
/* How many requests are being worked on or queued. */
unsigned listener_busy(const struct listener *listener);
/* Do the HTTP threads and the one that accepts connections still do their work? Gives each of them something to do, and says whether they
 * had all done so since the call before; true for the first. Not after listener_drain(). [one thread] */
bool listener_turns(struct listener *listener);
/* Begin to stop: accept nothing new, answer every request that comes over an open connection with 503 `draining` and
 * Connection: close. Requests under way go on. [main thread] */
void listener_drain(struct listener *listener);
/* Wait until no request is under way or `timeout_ms` have passed, then end all threads and free everything. Never cuts off a
 * handler that runs; waits for it whatever it takes. [main thread] */
void listener_stop(struct listener *listener, int64_t timeout_ms);

#endif
