/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ASK_EVERY_MS 100

int64_t connection_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum connection_end lost(struct connection *connection, int error)
{
	connection->error = error;
	return CONNECTION_LOST;
}

static bool is_given_up(const struct connection *connection)
{
	return connection->giving_up && connection->giving_up->cancelled(connection->giving_up);
}

/* Wait until the socket is ready; slices, so that a stop is noticed. */
static enum connection_end wait_ready(struct connection *connection, short events, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd poll_fd = {.fd = connection->fd, .events = events};
		int64_t left_ms = deadline_ms - connection_now_ms();
		int ready;

		if (is_given_up(connection))
			return CONNECTION_CANCELLED;
		if (left_ms <= 0)
			return CONNECTION_TIMEOUT;
		if (connection->giving_up && left_ms > ASK_EVERY_MS)
			left_ms = ASK_EVERY_MS;
		ready = poll(&poll_fd, 1, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX);
		if (ready > 0)
			return CONNECTION_DONE;
		if (ready < 0 && errno != EINTR)
			return lost(connection, errno);
	}
}

static bool make_address(const struct pep_target *target, struct sockaddr_storage *ret_address, socklen_t *ret_size)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(target->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(target->port)};

	if (inet_pton(AF_INET, target->ip, &v4.sin_addr) == 1) {
		memcpy(ret_address, &v4, sizeof(v4));
		*ret_size = sizeof(v4);
		return true;
	}
	if (inet_pton(AF_INET6, target->ip, &v6.sin6_addr) != 1)
		return false;
	memcpy(ret_address, &v6, sizeof(v6));
	*ret_size = sizeof(v6);
	return true;
}

/* A port of ours that nobody listens on can connect to itself (RFC 9293 3.5, simultaneous open): that is no gateway. And what the kernel
 * connected us to is what was asked for, or nothing is sent. */
static enum connection_end check_peer(struct connection *connection, const struct sockaddr_storage *address, socklen_t size)
{
	struct sockaddr_storage peer = {0}, own = {0};
	socklen_t peer_size = sizeof(peer), own_size = sizeof(own);

	if (getpeername(connection->fd, (struct sockaddr *)&peer, &peer_size) != 0 ||
	    getsockname(connection->fd, (struct sockaddr *)&own, &own_size) != 0)
		return lost(connection, errno);
	if (peer_size != size || memcmp(&peer, address, size) != 0 || (own_size == size && memcmp(&own, &peer, size) == 0))
		return lost(connection, ECONNREFUSED);
	return CONNECTION_DONE;
}

static enum connection_end finish_connect(struct connection *connection, int64_t deadline_ms)
{
	enum connection_end end = wait_ready(connection, POLLOUT, deadline_ms);
	socklen_t size = sizeof(connection->error);

	if (end != CONNECTION_DONE)
		return end;
	if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &connection->error, &size) < 0)
		connection->error = errno;
	return connection->error ? CONNECTION_LOST : CONNECTION_DONE;
}

enum connection_end connection_open(struct connection *connection, const struct pep_target *target, int64_t deadline_ms)
{
	struct sockaddr_storage address = {0};
	socklen_t size = 0;
	int on = 1;

	if (is_given_up(connection))
		return CONNECTION_CANCELLED;
	if (!make_address(target, &address, &size))
		return lost(connection, EAFNOSUPPORT);
	connection->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (connection->fd < 0)
		return lost(connection, errno);
	(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(connection->fd, (const struct sockaddr *)&address, size) != 0) {
		enum connection_end end =
			errno == EINPROGRESS || errno == EINTR ? finish_connect(connection, deadline_ms) : lost(connection, errno);

		if (end != CONNECTION_DONE)
			return end;
	}
	return check_peer(connection, &address, size);
}

enum connection_end connection_look(struct connection *connection, bool *ret_has_input)
{
	uint8_t byte;
	ssize_t got;

	do {
		got = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		return lost(connection, 0);
	if (got < 0 && errno != EAGAIN)
		return lost(connection, errno);
	*ret_has_input = got > 0;
	return CONNECTION_DONE;
}

void connection_make_room(struct connection *connection, size_t size)
{
	int room = 0, wanted = (int)(2 * size);
	socklen_t room_size = sizeof(room);

	if (getsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &room, &room_size) == 0 && room < wanted)
		(void)setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
}

enum connection_end connection_send(struct connection *connection, const uint8_t *data, size_t size, int64_t deadline_ms,
				    size_t *ret_sent)
{
	*ret_sent = 0;
	while (*ret_sent < size) {
		ssize_t sent;

		if (is_given_up(connection))
			return CONNECTION_CANCELLED;
		if (connection_now_ms() >= deadline_ms)
			return CONNECTION_TIMEOUT;
		sent = send(connection->fd, data + *ret_sent, size - *ret_sent, MSG_NOSIGNAL);
		if (sent >= 0) {
			*ret_sent += (size_t)sent;
		} else if (errno == EAGAIN) {
			enum connection_end end = wait_ready(connection, POLLOUT, deadline_ms);

			if (end != CONNECTION_DONE)
				return end;
		} else if (errno != EINTR) {
			return lost(connection, errno);
		}
	}
	return CONNECTION_DONE;
}

enum connection_end connection_receive(struct connection *connection, uint8_t *ret_data, size_t size, int64_t deadline_ms,
				       size_t *ret_got)
{
	for (;;) {
		ssize_t got = recv(connection->fd, ret_data, size, 0);
		enum connection_end end;

		if (got > 0) {
			*ret_got = (size_t)got;
			return CONNECTION_DONE;
		}
		if (got == 0)
			return lost(connection, 0);
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return lost(connection, errno);
		end = wait_ready(connection, POLLIN, deadline_ms);
		if (end != CONNECTION_DONE)
			return end;
	}
}

void connection_close(struct connection *connection)
{
	if (connection->fd >= 0)
		(void)close(connection->fd);
	connection->fd = -1;
}
