/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/wire.h"

#include "core/base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

void wire_init(struct wire *wire, int fd, const int stop_fds[WIRE_STOPS])
{
	wire->fd = fd;
	memcpy(wire->stop_fds, stop_fds, sizeof(wire->stop_fds));
	wire->begin = 0;
	wire->end = 0;
}

enum wire_status wire_wait(int fd, short events, const int stop_fds[WIRE_STOPS], int timeout_ms)
{
	struct pollfd fds[1 + WIRE_STOPS] = {{.fd = fd, .events = events}};
	int count;

	for (size_t i = 0; i < WIRE_STOPS; i++)
		fds[1 + i] = (struct pollfd){.fd = stop_fds[i], .events = POLLIN};
	do
		count = poll(fds, 1 + WIRE_STOPS, timeout_ms);
	while (count < 0 && errno == EINTR);
	for (size_t i = 0; i < WIRE_STOPS; i++)
		if (count < 0 || fds[1 + i].revents)
			return WIRE_STOPPED;
	return WIRE_GOOD;
}

/* At least one byte more. */
static enum wire_status fill(struct wire *wire)
{
	for (;;) {
		enum wire_status status = wire_wait(wire->fd, POLLIN, wire->stop_fds, -1);
		ssize_t count;

		if (status != WIRE_GOOD)
			return status;
		count = recv(wire->fd, wire->room, sizeof(wire->room), MSG_DONTWAIT);
		if (count > 0) {
			wire->begin = 0;
			wire->end = (size_t)count;
			return WIRE_GOOD;
		}
		if (count == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
			return WIRE_CLOSED;
	}
}

enum wire_status wire_read(struct wire *wire, void *ret_data, size_t size)
{
	uint8_t *data = ret_data;

	while (size > 0) {
		size_t count = wire->end - wire->begin;

		if (count == 0) {
			enum wire_status status = fill(wire);

			if (status != WIRE_GOOD)
				return status;
			continue;
		}
		if (count > size)
			count = size;
		memcpy(data, wire->room + wire->begin, count);
		wire->begin += count;
		data += count;
		size -= count;
	}
	return WIRE_GOOD;
}

enum wire_status wire_swallow(struct wire *wire)
{
	enum wire_status status;

	do
		status = fill(wire);
	while (status == WIRE_GOOD);
	return status;
}

enum wire_status wire_write(struct wire *wire, const void *data, size_t size)
{
	const uint8_t *next = data;

	while (size > 0) {
		enum wire_status status = wire_wait(wire->fd, POLLOUT, wire->stop_fds, -1);
		ssize_t count;

		if (status != WIRE_GOOD)
			return status;
		count = send(wire->fd, next, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (count < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
			return WIRE_CLOSED;
		if (count > 0) {
			next += count;
			size -= (size_t)count;
		}
	}
	return WIRE_GOOD;
}

enum wire_status wire_pause(struct wire *wire, int64_t ms)
{
	int64_t end_ms = clock_boot_ms() + ms;

	for (int64_t left_ms = ms; left_ms > 0; left_ms = end_ms - clock_boot_ms())
		if (wire_wait(-1, 0, wire->stop_fds, left_ms > INT_MAX ? INT_MAX : (int)left_ms) == WIRE_STOPPED)
			return WIRE_STOPPED;
	return WIRE_GOOD;
}
