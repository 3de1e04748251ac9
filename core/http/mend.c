/* SPDX-License-Identifier: Apache-2.0
 *
 * A defect of libmicrohttpd 0.9.75, mended from outside: parse_connection_headers() goes on after it has queued an error, so the
 * head of the reply is made twice, and the peer reads the second one as the body. There is no callback at that place but the log's.
 */
#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/http/exchange.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define REPLY_LIMIT 4096u

/* Is it at the end of its head, with a length that cannot be read? */
static bool has_bad_length(struct exchange *exchange)
{
	const char *length = MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, "Content-Length");
	int64_t number;

	return exchange->step == EXCHANGE_HEAD && length && !text_to_number(length, 0, INT64_MAX, &number);
}

/* Which connection the log speaks of it does not say, but it is one of this thread. */
static struct exchange *find(struct serving *serving)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&serving->connections.mutex);

	(void)lock;
	for (struct connection *connection = serving->connections.first; connection; connection = connection->next) {
		struct exchange *exchange = (struct exchange *)connection;

		if (pthread_equal(connection->thread, pthread_self()) && has_bad_length(exchange))
			return exchange;
	}
	return NULL;
}

static void send_reply(const struct exchange *exchange)
{
	const struct http_reply *reply = &exchange->reply;
	gnutls_session_t session = exchange_session(exchange);
	const time_t now = time(NULL);
	struct tm utc = {0};
	char date[64] = "";
	struct buffer text;

	if (gmtime_r(&now, &utc))
		(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
	buffer_init(&text, REPLY_LIMIT);
	buffer_format(&text,
		      "HTTP/1.1 %u Bad Request\r\nDate: %s\r\nConnection: close\r\nX-Request-Id: %s\r\nX-Content-Type-Options: "
		      "nosniff\r\n"
		      "Cache-Control: no-store\r\nContent-Type: %s\r\nPep-Error: %s\r\nContent-Length: %zu\r\n\r\n",
		      reply->status, date, exchange->id, reply->content_type, reply->error_code, reply->body_size);
	buffer_append(&text, reply->body, reply->body_size);
	/* The replies before it were taken, so there is room for this one. */
	if (!text.failed && session)
		(void)gnutls_record_send(session, text.data, text.size);
	else if (!text.failed)
		(void)send(exchange->connection.fd, text.data, text.size, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(exchange->connection.fd, SHUT_WR);
	buffer_fini(&text);
}

void exchange_refuse_length(struct serving *serving)
{
	struct exchange *exchange = find(serving);

	if (!exchange)
		return;
	exchange_choose_id(exchange);
	reply_problem(&exchange->request, &exchange->reply, 400, "bad_request", NULL, "Content-Length is not a whole number");
	send_reply(exchange);
}
