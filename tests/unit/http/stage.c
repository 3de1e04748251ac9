/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "core/base/buffer.h"
#include "core/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct made_stream {
	struct stream stream; /* the first member */
	struct stage *stage;
	size_t left, piece;
	bool waits, breaks;
};

static void pass_gate(struct stage *stage)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&stage->mutex);

	stage->held++;
	(void)pthread_cond_broadcast(&stage->changed);
	while (!stage->is_open)
		(void)pthread_cond_wait(&stage->changed, lock);
	stage->passed++;
	(void)pthread_cond_broadcast(&stage->changed);
}

static void wait_for(struct stage *stage, const unsigned *number, unsigned least)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&stage->mutex);

	while (*number < least)
		(void)pthread_cond_wait(&stage->changed, lock);
}

void stage_wait_held(struct stage *stage, unsigned held)
{
	wait_for(stage, &stage->held, held);
}

void stage_wait_passed(struct stage *stage, unsigned passed)
{
	wait_for(stage, &stage->passed, passed);
}

void stage_wait_closed(struct stage *stage, unsigned closed)
{
	wait_for(stage, &stage->closed, closed);
}

void stage_open_gate(struct stage *stage)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&stage->mutex);

	(void)lock;
	stage->is_open = true;
	(void)pthread_cond_broadcast(&stage->changed);
}

static void echo(void *context, struct http_request *request, struct http_reply *reply)
{
	struct buffer text;

	(void)context;
	buffer_init(&text, 1 << 20);
	buffer_format(&text, "%d %s%s tail=%s peer=%s", (int)request->method, request->prefixed ? "+" : "", request->path,
		      request->tail, request->peer);
	for (size_t i = 0; i < request->query_count; i++)
		buffer_format(&text, " %s=%s", request->query[i].name, request->query[i].value);
	buffer_format(&text, " x=%s", request_header(request, "x-test") ? request_header(request, "x-test") : "-");
	buffer_format(&text, " body=%zu:", request->body_size);
	if (request->body) {
		assert_int_equal(request->body[request->body_size], '\0');
		buffer_append(&text, request->body, request->body_size < 100 ? request->body_size : 100);
	}
	reply->status = 200;
	reply->content_type = "text/plain; charset=utf-8";
	reply->body = text.data;
	reply->body_size = text.size;
	reply->free_body = text.data;
	reply->serial = "S-1";
}

static void hold(void *context, struct http_request *request, struct http_reply *reply)
{
	pass_gate(context);
	echo(context, request, reply);
}

static ssize_t fill(struct stream *stream, char *data, size_t room)
{
	struct made_stream *made = (struct made_stream *)stream;
	size_t size = made->piece < room ? made->piece : room;

	if (made->waits)
		pass_gate(made->stage);
	if (made->left == 0)
		return made->breaks ? STREAM_BROKEN : STREAM_END;
	if (size > made->left)
		size = made->left;
	for (size_t i = 0; i < size; i++)
		data[i] = (char)('a' + (made->left - i) % 26); /* by how much is still to come */
	made->left -= size;
	{
		AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&made->stage->mutex);

		(void)lock;
		made->stage->filled++;
		(void)pthread_cond_broadcast(&made->stage->changed);
	}
	return (ssize_t)size;
}

static void close_stream(struct stream *stream)
{
	struct made_stream *made = (struct made_stream *)stream;
	struct stage *stage = made->stage;
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&stage->mutex);

	(void)lock;
	free(made);
	stage->closed++;
	(void)pthread_cond_broadcast(&stage->changed);
}

static void stream(void *context, struct http_request *request, struct http_reply *reply)
{
	struct made_stream *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	made->stream = (struct stream){.fill = fill, .close = close_stream};
	made->stage = context;
	made->left = request->query_count ? strtoul(request->query[0].value, NULL, 10) : 0;
	made->piece = strstr(request->path, "/rows") ? 100 : 1 << 20;
	made->waits = strstr(request->path, "/held") != NULL;
	made->breaks = strstr(request->path, "/broken") != NULL;
	reply->status = 200;
	reply->content_type = "text/csv";
	reply->stream = &made->stream;
}

static void news(void *context, struct http_request *request, struct http_reply *reply)
{
	struct stage *stage = context;

	(void)request;
	reply->status = 200;
	reply->content_type = "text/event-stream";
	reply->broadcast = stage->settings.broadcast;
}

static const struct route routes[] = {
	{.path = "/news", .methods = HTTP_GET | HTTP_HEAD, .place = ROUTE_INLINE, .handler = news},
	{.path = "/echo", .methods = HTTP_GET | HTTP_HEAD | HTTP_POST, .place = ROUTE_INLINE, .handler = echo},
	{.path = "/work", .methods = HTTP_GET | HTTP_HEAD | HTTP_POST, .place = ROUTE_WORKER, .handler = echo},
	{.path = "/hold", .methods = HTTP_GET, .place = ROUTE_WORKER, .handler = hold},
	{.path = "/stuck", .methods = HTTP_GET, .place = ROUTE_INLINE, .handler = hold},
	{.path = "/inject", .methods = HTTP_GET | HTTP_POST, .place = ROUTE_INJECT, .handler = hold},
	{.path = "/stream", .methods = HTTP_GET | HTTP_HEAD, .place = ROUTE_WORKER, .handler = stream},
	{.path = "/rows", .methods = HTTP_GET, .place = ROUTE_WORKER, .handler = stream},
	{.path = "/held", .methods = HTTP_GET, .place = ROUTE_WORKER, .handler = stream},
	{.path = "/broken", .methods = HTTP_GET, .place = ROUTE_INLINE, .handler = stream},
	{.path = "/tail/*", .methods = HTTP_GET, .place = ROUTE_INLINE, .handler = echo},
	{.path = NULL},
};

void stage_set(struct stage *stage)
{
	*stage = (struct stage){0};
	(void)pthread_mutex_init(&stage->mutex, NULL);
	(void)pthread_cond_init(&stage->changed, NULL);
	stage->settings = (struct listener_settings){
		.address = "127.0.0.1",
		.threads = 2,
		.connections = 64,
		.workers = 2,
		.worker_queue = 8,
		.injections = 2,
		.injection_queue = 2,
		.header_timeout_ms = 20000,
		.idle_timeout_ms = 20000,
		.routes = routes,
		.context = stage,
	};
}

void stage_start(struct stage *stage)
{
	struct pep_error err = {0};

	if (listener_start(&stage->settings, &stage->listener, &err) != PEP_OK)
		fail_msg("%s", err.message);
	stage->port = listener_port(stage->listener);
	assert_int_not_equal(stage->port, 0);
}

void stage_strike(struct stage *stage)
{
	(void)pthread_cond_destroy(&stage->changed);
	(void)pthread_mutex_destroy(&stage->mutex);
}

void stage_stop(struct stage *stage, int64_t timeout_ms)
{
	listener_stop(stage->listener, timeout_ms);
	stage->listener = NULL;
	stage_strike(stage);
}
