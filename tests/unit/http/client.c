/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

struct client client_open_if_possible(uint16_t port)
{
	const struct timeval patience = {.tv_sec = 20};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct client client = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(client.fd >= 0);
	assert_int_equal(setsockopt(client.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	if (connect(client.fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		client_close(&client);
	return client;
}

struct client client_open(uint16_t port)
{
	struct client client = client_open_if_possible(port);

	assert_true(client.fd >= 0);
	return client;
}

bool client_refused(uint16_t port)
{
	struct client client = client_open_if_possible(port);
	bool refused = client.fd < 0;

	if (!refused)
		client_close(&client);
	return refused;
}

void client_close(struct client *client)
{
	(void)close(client->fd);
	free(client->data);
	*client = (struct client){.fd = -1};
}

/* A peer that has closed already is no failure: what it said will be read. */
void client_send_bytes(struct client *client, const void *data, size_t size)
{
	const char *bytes = data;

	while (size) {
		ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL);

		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return;
		assert_true(sent > 0);
		bytes += sent;
		size -= (size_t)sent;
	}
}

void client_send(struct client *client, const char *text)
{
	client_send_bytes(client, text, strlen(text));
}

/* Room for as much as one receive yields. */
static void make_room(struct client *client)
{
	if (client->start && client->size)
		memmove(client->data, client->data + client->start, client->size);
	client->start = 0;
	if (client->room - client->size >= 65536)
		return;
	client->room = client->room ? client->room * 2 : 131072;
	client->data = realloc(client->data, client->room);
	assert_non_null(client->data);
}

/* False: there is no more. */
static bool receive(struct client *client)
{
	ssize_t got;

	if (client->ended)
		return false;
	make_room(client);
	got = recv(client->fd, client->data + client->size, client->room - client->size, 0);
	if (got < 0 && errno == ECONNRESET) {
		client->was_reset = true;
		got = 0;
	}
	assert_true(got >= 0); /* EAGAIN: nothing came for too long */
	client->ended = got == 0;
	client->size += (size_t)got;
	return got > 0;
}

static void drop(struct client *client, size_t size)
{
	client->start += size;
	client->size -= size;
}

/* Up to and with `mark`, as a text that is taken; NULL: the connection ended before. */
static char *take_until(struct client *client, const char *mark)
{
	const char *found = NULL;
	size_t size;
	char *text;

	while (!client->size || !(found = memmem(client->data + client->start, client->size, mark, strlen(mark))))
		if (!receive(client))
			return NULL;
	size = (size_t)(found - client->data) - client->start + strlen(mark);
	text = strndup(client->data + client->start, size);
	assert_non_null(text);
	drop(client, size);
	return text;
}

static bool append(struct client *client, size_t size, struct client_reply *reply)
{
	bool whole;

	while (client->size < size)
		if (!receive(client))
			break;
	whole = client->size >= size;
	if (!whole)
		size = client->size;
	if (!size)
		return whole;
	if (reply->body_room <= reply->body_size + size) {
		reply->body_room = 2 * (reply->body_size + size) + 1;
		reply->body = realloc(reply->body, reply->body_room);
		assert_non_null(reply->body);
	}
	memcpy(reply->body + reply->body_size, client->data + client->start, size);
	reply->body_size += size;
	reply->body[reply->body_size] = '\0';
	drop(client, size);
	return whole;
}

static void read_chunks(struct client *client, struct client_reply *reply)
{
	for (;;) {
		char *line = take_until(client, "\r\n");
		size_t size = line ? strtoul(line, NULL, 16) : 0;
		bool got_line = line != NULL;

		free(line);
		if (!got_line)
			return;
		if (size == 0) {
			line = take_until(client, "\r\n");
			reply->is_whole = line != NULL;
			free(line);
			return;
		}
		if (!append(client, size, reply))
			return;
		line = take_until(client, "\r\n");
		got_line = line != NULL;
		free(line);
		if (!got_line)
			return;
	}
}

static void read_body(struct client *client, struct client_reply *reply)
{
	char value[256];

	if (*client_header(reply, "Transfer-Encoding", value)) {
		read_chunks(client, reply);
	} else if (*client_header(reply, "Content-Length", value)) {
		reply->is_whole = append(client, strtoul(value, NULL, 10), reply);
	} else {
		while (receive(client))
			;
		(void)append(client, client->size, reply);
		reply->is_whole = !client->was_reset;
	}
}

struct client_reply client_read(struct client *client, bool without_body)
{
	struct client_reply reply = {0};

	reply.head = take_until(client, "\r\n\r\n");
	if (!reply.head)
		return reply;
	assert_memory_equal(reply.head, "HTTP/1.1 ", 9);
	reply.status = (unsigned)strtoul(reply.head + 9, NULL, 10);
	reply.is_whole = true;
	if (reply.status == 100) {
		client_reply_free(&reply);
		return client_read(client, without_body);
	}
	if (!without_body && reply.status != 204 && reply.status != 304) {
		reply.is_whole = false;
		read_body(client, &reply);
	}
	return reply;
}

bool client_at_end(struct client *client)
{
	return client->size == 0 && !receive(client);
}

bool client_is_cut(struct client *client, int within_ms)
{
	struct pollfd polled = {.fd = client->fd, .events = POLLIN};

	return poll(&polled, 1, within_ms) == 1;
}

void client_reply_free(struct client_reply *reply)
{
	free(reply->head);
	free(reply->body);
	*reply = (struct client_reply){0};
}

const char *client_header(const struct client_reply *reply, const char *name, char value[256])
{
	size_t size = strlen(name);

	value[0] = '\0';
	for (const char *line = reply->head ? strstr(reply->head, "\r\n") : NULL; line; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, size) == 0 && line[size] == ':') {
			size_t length;

			line += size + 1;
			line += strspn(line, " ");
			length = strcspn(line, "\r");
			assert_true(length < 256);
			memcpy(value, line, length);
			value[length] = '\0';
			return value;
		}
	}
	return value;
}

struct client_reply client_ask(uint16_t port, const char *text)
{
	struct client client = client_open(port);
	struct client_reply reply;

	client_send(&client, text);
	reply = client_read(&client, strncmp(text, "HEAD ", 5) == 0);
	client_close(&client);
	return reply;
}
