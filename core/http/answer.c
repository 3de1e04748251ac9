/* SPDX-License-Identifier: Apache-2.0
 *
 * How a filled reply gets to the HTTP library, whole or as a stream.
 */
#include "core/base/cleanup.h"
#include "core/base/log.h"
#include "core/http/exchange.h"

#include <string.h>
#include <sys/socket.h>

/* How much of a stream the library asks for at once where it does not send chunks. */
#define BLOCK_SIZE 16384u

static bool add(struct MHD_Response *response, const char *name, const char *value)
{
	return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_headers(struct MHD_Response *response, const struct exchange *exchange)
{
	const struct http_reply *reply = &exchange->reply;

	if (!add(response, "X-Request-Id", exchange->request.id) || !add(response, "X-Content-Type-Options", "nosniff") ||
	    (!reply->cacheable && !add(response, "Cache-Control", "no-store")) ||
	    (reply->content_type && !add(response, "Content-Type", reply->content_type)) ||
	    (reply->error_code && !add(response, "Pep-Error", reply->error_code)))
		return false;
	for (size_t i = 0; i < reply->header_count; i++)
		if (!add(response, reply->headers[i].name, reply->headers[i].value))
			return false;
	return !exchange->serving->draining || add(response, "Connection", "close");
}

/* Without chunks a transfer ends with the connection, and one that broke would look whole: the peer gets a reset (RFC 9112 8). */
static void reset_connection(int fd)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	(void)connect(fd, &none, sizeof(none));
}

static ssize_t read_feed(void *context, uint64_t position, char *data, size_t room)
{
	struct exchange *exchange = context;
	struct connections *connections = &exchange->serving->connections;
	ssize_t size = feed_read(exchange->feed, data, room);

	(void)position;
	if (exchange->connection.phase == CONNECTION_SUSPENDED)
		connection_set_phase(connections, &exchange->connection, CONNECTION_BUSY);
	if (size > 0) {
		exchange->sent += (uint64_t)size;
		return size;
	}
	if (size == STREAM_END)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (size == STREAM_BROKEN) {
		if (exchange->old_http)
			reset_connection(exchange->connection.fd);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	/* Suspend before anybody can resume: a resume that comes first would be lost. */
	connection_set_phase(connections, &exchange->connection, CONNECTION_SUSPENDED);
	MHD_suspend_connection(exchange->mhd);
	feed_wait(exchange->feed);
	return 0;
}

static void close_feed(void *context)
{
	struct exchange *exchange = context;

	feed_close(TAKE(exchange->feed));
}

/* Whoever watches is suspended while there is no news; while it is being sent some, a stop does not wait for it. */
static ssize_t read_broadcast(void *context, uint64_t position, char *data, size_t room)
{
	struct exchange *exchange = context;
	struct connections *connections = &exchange->serving->connections;
	ssize_t size = broadcast_read(exchange->reader, data, room);

	(void)position;
	if (size != BROADCAST_NOTHING)
		connection_set_phase(connections, &exchange->connection, CONNECTION_WATCHING);
	if (size == STREAM_END)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (size != BROADCAST_NOTHING) {
		exchange->sent += (uint64_t)size;
		return size;
	}
	connection_set_phase(connections, &exchange->connection, CONNECTION_SUSPENDED);
	MHD_suspend_connection(exchange->mhd);
	broadcast_wait(exchange->reader);
	return 0;
}

static void leave_broadcast(void *context)
{
	struct exchange *exchange = context;

	broadcast_leave(TAKE(exchange->reader));
}

static ssize_t read_nothing(void *context, uint64_t position, char *data, size_t room)
{
	(void)context;
	(void)position;
	(void)data;
	(void)room;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/* The head of a stream, for HEAD: no body, and no word on its size. Without chunks, because the library (0.9.75) would send the
 * empty one that ends them, which no client expects after HEAD; so the connection ends instead. */
static struct MHD_Response *make_head(void)
{
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, read_nothing, NULL, NULL);

	if (response)
		(void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	return response;
}

/* The body stays where it is: it lives until exchange_end(). A feed is the response's from here on. */
static struct MHD_Response *make_response(struct exchange *exchange)
{
	const struct http_reply *reply = &exchange->reply;
	void *body;

	if (exchange->feed)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_feed, exchange, close_feed);
	if (exchange->reader)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_broadcast, exchange, leave_broadcast);
	if (reply->stream || reply->broadcast)
		return make_head();
	/* The library only reads it, but its signature says otherwise. */
	memcpy(&body, &reply->body, sizeof(body));
	return MHD_create_response_from_buffer(reply->content_type ? reply->body_size : 0, body, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result exchange_answer(struct exchange *exchange)
{
	struct MHD_Response *response = make_response(exchange);
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	exchange->step = EXCHANGE_SENDING;
	if (add_headers(response, exchange))
		result = MHD_queue_response(exchange->mhd, exchange->reply.status, response);
	if (result != MHD_YES)
		log_event(LOG_ERR, "a reply could not be sent: out of memory, or its status or a header is not HTTP",
			  LOG_TEXT("request_id", exchange->request.id), LOG_NUMBER("status", exchange->reply.status));
	MHD_destroy_response(response);
	return result;
}
