/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/exchange.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/http/socket.h"
#include "core/http/traffic.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct exchange *exchange_open(struct serving *serving, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *peer = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->serving = serving;
	exchange->mhd = mhd;
	exchange->connection.fd = fd->connect_fd;
	exchange->connection.thread = pthread_self();
	socket_peer(peer->client_addr, exchange->connection.peer);
	buffer_init(&exchange->body, EXCHANGE_BODY_MAX + 1);
	connection_add(&serving->connections, &exchange->connection);
	return exchange;
}

void exchange_close(struct exchange *exchange)
{
	connection_remove(&exchange->serving->connections, &exchange->connection);
	arena_fini(&exchange->arena);
	free(exchange);
}

/* The worker is done with it. Nothing of it may be touched after this. */
static void resume(void *context)
{
	struct exchange *exchange = context;

	MHD_resume_connection(exchange->mhd);
}

/* The first block of the arena stays from request to request. */
static void reset_arena(struct exchange *exchange)
{
	if (exchange->arena.blocks && exchange->arena.blocks == exchange->fresh_arena.blocks) {
		exchange->arena = exchange->fresh_arena;
		return;
	}
	arena_fini(&exchange->arena);
	(void)arena_alloc(&exchange->arena, 0);
	exchange->fresh_arena = exchange->arena;
}

static void reset(struct exchange *exchange)
{
	reset_arena(exchange);
	guard_init(&exchange->guard);
	exchange->step = EXCHANGE_HEAD;
	exchange->old_http = exchange->has_target = exchange->refused = false;
	exchange->detail = NULL;
	exchange->method_name = "-";
	exchange->id[0] = '\0';
	exchange->route = NULL;
	exchange->sent = 0;
	exchange->reply = (struct http_reply){0};
	exchange->request = (struct http_request){
		.arena = &exchange->arena,
		.target = "",
		.path = "",
		.tail = "",
		.id = exchange->id,
		.peer = exchange->connection.peer,
		.actor = "local",
		.start_boot_ms = clock_boot_ms(),
	};
}

void exchange_begin(struct exchange *exchange, char *uri)
{
	char *arguments = strchr(uri, '?');

	reset(exchange);
	exchange->raw_target = uri;
	exchange->raw_size = strlen(uri);
	if (exchange->raw_size <= EXCHANGE_TARGET_MAX)
		exchange->has_target =
			request_decode_target(&exchange->arena, uri, exchange->raw_size, &exchange->request, &exchange->detail);
	/* The library would give every argument a place in the connection's memory; with some hundreds of them it runs out, and then
	 * answers nothing at all (seen in 0.9.75). It looks at them after this call, so it shall find none. */
	if (arguments && arguments[1])
		arguments[1] = '\0';
}

/* "3f2a9c1b-1f": unlike any other of this server, whenever it was started. */
static void make_id(struct exchange *exchange)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t number = atomic_fetch_add_explicit(&exchange->serving->id_next, 1, memory_order_relaxed);
	char *id = exchange->id;
	int shift = 60;

	memcpy(id, exchange->serving->id_prefix, 8);
	id[8] = '-';
	while (shift > 0 && !(number >> shift & 15))
		shift -= 4;
	for (id += 9; shift >= 0; shift -= 4)
		*id++ = digits[number >> shift & 15];
	*id = '\0';
}

void exchange_choose_id(struct exchange *exchange)
{
	const struct guard *guard = &exchange->guard;

	if (guard->ids == 1 && request_is_token(guard->id))
		memcpy(exchange->id, guard->id, strlen(guard->id) + 1);
	else
		make_id(exchange);
}

static enum http_method method_from(struct exchange *exchange, const char *name)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_HEAD}, {"POST", HTTP_POST}, {"OPTIONS", HTTP_OPTIONS}};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(name, methods[i].name) == 0) {
			exchange->method_name = methods[i].name;
			return methods[i].method;
		}
	}
	exchange->method_name = "other";
	return HTTP_OTHER;
}

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value,
				   size_t value_size)
{
	(void)kind;
	guard_header(context, name, name_size, value, value_size);
	return MHD_YES;
}

static void read_head(struct exchange *exchange, const char *method, const char *version)
{
	struct guard *guard = &exchange->guard;
	const union MHD_ConnectionInfo *size = MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	exchange->old_http = strcmp(version, "HTTP/1.0") == 0;
	if (exchange->serving->check_lines)
		guard_request_line(guard, method, exchange->raw_target, exchange->raw_size, version);
	(void)MHD_get_connection_values_n(exchange->mhd, MHD_HEADER_KIND, note_header, guard);
	guard_end(guard, size ? method + size->header_size : NULL, !exchange->old_http);
	exchange->request.method = method_from(exchange, method);
	exchange->request.headers = guard->headers;
	exchange->request.header_count = guard->count < GUARD_HEADERS ? guard->count : GUARD_HEADERS;
	exchange_choose_id(exchange);
	exchange_identify(exchange);
}

/* How much the body may have depends on where it goes. */
static size_t body_limit(struct exchange *exchange)
{
	const struct route *route = NULL;

	if (exchange->has_target && exchange->request.method == HTTP_POST)
		route = router_match(exchange->serving->settings->routes, &exchange->request);
	return route && route->body_limit ? route->body_limit : EXCHANGE_BODY_MAX;
}

/* Is the head bad enough to end the connection with it? Then the reply is filled. */
static bool refuse_head(struct exchange *exchange)
{
	const struct http_request *request = &exchange->request;
	struct http_reply *reply = &exchange->reply;
	const struct guard *guard = &exchange->guard;
	size_t limit = body_limit(exchange);

	exchange->body.limit = limit + 1; /* and a NUL */
	if (exchange->raw_size > EXCHANGE_TARGET_MAX)
		reply_problem(request, reply, 414, "uri_too_long", NULL, "the target has %zu bytes; at most %u are read",
			      exchange->raw_size, EXCHANGE_TARGET_MAX);
	else if (guard->count > GUARD_HEADERS)
		reply_problem(request, reply, 431, "headers_too_large", NULL, "the request has %zu headers; at most %u are read",
			      guard->count, GUARD_HEADERS);
	else if (guard->fault)
		reply_problem(request, reply, 400, "bad_request", NULL, "%s", guard->fault);
	else if (guard_body_size(guard) != SIZE_MAX && guard_body_size(guard) > limit)
		reply_problem(request, reply, 413, "too_large", NULL, "the body has %zu bytes; at most %zu are read",
			      guard_body_size(guard), limit);
	else
		return false;
	return true;
}

/* What is wrong is known before the body: the library sends the reply at once and closes the connection after it. */
static enum MHD_Result take_head(struct exchange *exchange, const char *method, const char *version)
{
	read_head(exchange, method, version);
	exchange->step = EXCHANGE_BODY;
	if (!refuse_head(exchange)) {
		exchange->refused = !exchange_enter(exchange);
		if (!exchange->refused || !request_header(&exchange->request, "Expect"))
			return MHD_YES; /* a small body may be on its way already: who sends it could miss a reply that comes first */
	}
	return connection_begin(&exchange->connection) ? exchange_answer(exchange) : MHD_NO;
}

/* A stream is opened at once: its first pieces are made while the reply's head is on its way. HEAD gets the head only. */
static void open_stream(struct exchange *exchange)
{
	struct http_reply *reply = &exchange->reply;
	struct stream *stream = reply->stream;

	if (exchange->request.method == HTTP_HEAD) {
		stream->close(stream);
		return;
	}
	exchange->feed = feed_open(exchange->serving->feeds, stream, resume, exchange);
	if (exchange->feed)
		return;
	stream->close(stream);
	reply->stream = NULL;
	reply_problem(&exchange->request, reply, 503, "busy", NULL, "out of memory; try again");
}

/* Who watches keeps its connection for hours, so there is a bound. */
static void join_broadcast(struct exchange *exchange)
{
	struct http_reply *reply = &exchange->reply;

	if (exchange->request.method == HTTP_HEAD)
		return;
	exchange->reader = broadcast_join(reply->broadcast, resume, exchange);
	if (exchange->reader)
		return;
	reply->broadcast = NULL;
	reply_problem(&exchange->request, reply, 503, "busy", NULL, "as many watch as may at the same time; try again");
	reply_retry_after(&exchange->request, reply, 10);
}

static void call_handler(struct exchange *exchange)
{
	struct http_reply *reply = &exchange->reply;

	exchange->route->handler(exchange->serving->settings->context, &exchange->request, reply);
	if (reply->stream)
		open_stream(exchange);
	else if (reply->broadcast)
		join_broadcast(exchange);
	else if (!reply->status)
		reply_problem(&exchange->request, reply, 500, "internal", NULL, "the server has no answer to this request");
	exchange->step = EXCHANGE_READY;
}

/* How many are at gateways, and how many wait to be: for who looks on. */
static void count_injection(const struct exchange *exchange, int more_waiting, int more_injecting)
{
	const struct listener_settings *settings = exchange->serving->settings;

	if (!settings->traffic || exchange->route->place != ROUTE_INJECT)
		return;
	atomic_fetch_add_explicit(&settings->traffic->waiting, (unsigned)more_waiting, memory_order_relaxed);
	atomic_fetch_add_explicit(&settings->traffic->injecting, (unsigned)more_injecting, memory_order_relaxed);
	broadcast_tell(settings->broadcast);
}

static void run_job(struct pool_job *job)
{
	struct exchange *exchange = (struct exchange *)((char *)job - offsetof(struct exchange, job));

	count_injection(exchange, -1, 1);
	call_handler(exchange);
	count_injection(exchange, 0, -1);
	resume(exchange);
}

static void refuse_busy(struct exchange *exchange)
{
	reply_problem(&exchange->request, &exchange->reply, 503, "busy", NULL, "too many requests are under way; try again");
	reply_retry_after(&exchange->request, &exchange->reply, 1);
	exchange->step = EXCHANGE_READY;
}

static struct pool *pool_of(const struct serving *serving, enum route_place place)
{
	if (place == ROUTE_INJECT)
		return serving->injections;
	return place == ROUTE_EXPORT ? serving->exports : serving->workers;
}

static enum MHD_Result suspend(struct exchange *exchange)
{
	struct serving *serving = exchange->serving;
	struct pool *pool = pool_of(serving, exchange->route->place);

	exchange->step = EXCHANGE_WORKING;
	exchange->job.run = run_job;
	/* Suspend before anybody can resume: a resume that comes first would be lost. */
	connection_set_phase(&serving->connections, &exchange->connection, CONNECTION_SUSPENDED);
	MHD_suspend_connection(exchange->mhd);
	count_injection(exchange, 1, 0);
	if (!pool_submit(pool, &exchange->job)) {
		count_injection(exchange, -1, 0);
		refuse_busy(exchange);
		resume(exchange);
	}
	return MHD_YES;
}

/* The request is whole. */
static enum MHD_Result dispatch(struct exchange *exchange)
{
	if (!connection_begin(&exchange->connection))
		return MHD_NO;
	if (exchange->refused || !exchange_may_start(exchange))
		return exchange_answer(exchange);
	if (exchange->body.size) {
		exchange->request.body_size = exchange->body.size;
		buffer_byte(&exchange->body, '\0');
		exchange->request.body = exchange->body.data;
	}
	if (exchange->route->place != ROUTE_INLINE)
		return suspend(exchange);
	call_handler(exchange);
	return exchange_answer(exchange);
}

enum MHD_Result exchange_advance(struct exchange *exchange, const char *method, const char *version, const char *data,
				 size_t *data_size)
{
	if (exchange->step == EXCHANGE_HEAD)
		return take_head(exchange, method, version);
	if (*data_size) {
		/* What is too much, or of nobody we let in, is read and forgotten: the reply comes when the peer is ready for it. */
		if (!exchange->refused)
			buffer_append(&exchange->body, data, *data_size);
		*data_size = 0;
		return MHD_YES;
	}
	if (exchange->step == EXCHANGE_BODY)
		return dispatch(exchange);
	if (exchange->step != EXCHANGE_READY)
		return MHD_YES;
	connection_set_phase(&exchange->serving->connections, &exchange->connection, CONNECTION_BUSY);
	return exchange_answer(exchange);
}

static void count_request(const struct exchange *exchange, unsigned status)
{
	const struct listener_settings *settings = exchange->serving->settings;

	if (settings->traffic)
		traffic_count(settings->traffic, exchange->route ? (size_t)(exchange->route - settings->routes) : TRAFFIC_ROUTES,
			      status);
}

void exchange_end(struct exchange *exchange, enum MHD_RequestTerminationCode how)
{
	const union MHD_ConnectionInfo *info;
	unsigned status = exchange->reply.status;

	if (!status) { /* the library itself has refused it, or the peer has gone before it was whole */
		info = MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
		status = info ? info->http_status : 0;
	}
	count_request(exchange, status);
	if (status && exchange->serving->settings->access_log && log_enabled(LOG_INFO))
		access_log(exchange, status, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	/* Otherwise the response closes it. */
	if (exchange->feed && exchange->step != EXCHANGE_SENDING)
		feed_close(TAKE(exchange->feed));
	if (exchange->reader && exchange->step != EXCHANGE_SENDING)
		broadcast_leave(TAKE(exchange->reader));
	free(exchange->reply.free_body);
	exchange->reply.free_body = NULL;
	buffer_fini(&exchange->body);
	exchange->step = EXCHANGE_IDLE;
	connection_end(&exchange->serving->connections, &exchange->connection);
}
