/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/device.h"

#include "core/base/cleanup.h"
#include "fcc-sim/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

static bool may_share(int fd)
{
	int yes = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0;
}

/* A given port must be free again right after the device before. Any free one is looked for without that: the kernel would try only half
 * of them. */
static bool open_socket(struct sockaddr_in *address, int *ret_fd)
{
	socklen_t size = sizeof(*address);
	bool is_given = address->sin_port != 0;

	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return *ret_fd >= 0 && (!is_given || may_share(*ret_fd)) && bind(*ret_fd, (struct sockaddr *)address, size) == 0 &&
	       (is_given || may_share(*ret_fd)) && getsockname(*ret_fd, (struct sockaddr *)address, &size) == 0;
}

/* The first socket finds the port. That the second one asks for it by number makes the port its own until it is closed, not only as long
 * as it listens. */
static bool start_listening(struct device *device, const char *ip, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	AUTO(close_fd) int finder_fd = -1;

	if (inet_pton(AF_INET, ip, &address.sin_addr) != 1) {
		errno = EINVAL;
		return false;
	}
	if (!open_socket(&address, &finder_fd) || !open_socket(&address, &device->listen_fd) || listen(device->listen_fd, 1) != 0)
		return false;
	device->port = ntohs(address.sin_port);
	return inet_ntop(AF_INET, &address.sin_addr, device->ip, sizeof(device->ip)) != NULL;
}

bool device_open(struct device *device, const char *ip, uint16_t port, const char *folder, const struct fault *fault,
		 const int stop_fds[WIRE_STOPS])
{
	int error;

	*device = (struct device){.listen_fd = -1, .last_status = -1};
	memcpy(device->stop_fds, stop_fds, sizeof(device->stop_fds));
	if (gateway_init(&device->gateway, folder, fault) && start_listening(device, ip, port))
		return true;
	error = errno;
	device_close(device);
	errno = error;
	return false;
}

void device_close(struct device *device)
{
	close_fd(&device->listen_fd);
	device->listen_fd = -1;
	gateway_fini(&device->gateway);
}

/* The next tool, or -1: time to end. */
static int accept_tool(const struct device *device)
{
	int yes = 1;

	while (wire_wait(device->listen_fd, POLLIN, device->stop_fds, -1) == WIRE_GOOD) {
		int fd = accept4(device->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
			return fd;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			(void)wire_wait(-1, 0, device->stop_fds, 10);
	}
	return -1;
}

/* A message was handled: what of its answer goes out. */
static enum wire_status send_answer(struct device *device, struct wire *wire, const struct buffer *frame)
{
	const struct fault *fault = &device->gateway.fault;
	uint32_t message = device->gateway.message_count;
	enum wire_status status = wire_pause(wire, fault->slow_ms);

	if (status != WIRE_GOOD)
		return status;
	if (fault->silent_message == message)
		return wire_swallow(wire);
	if (fault->drop && fault->drop_message == message) {
		status = wire_write(wire, frame->data, fault->drop_size < frame->size ? fault->drop_size : frame->size);
		return status == WIRE_GOOD ? WIRE_CLOSED : status;
	}
	status = wire_write(wire, frame->data, frame->size);
	return fault->twice && status == WIRE_GOOD ? wire_write(wire, frame->data, frame->size) : status;
}

enum { LIFE_GOES_ON = -1 };

/* Returns an exit code, or that the session goes on. */
static int handle_message(struct device *device, struct wire *wire, const struct buffer *payload)
{
	struct answer answer;
	AUTO(buffer_fini) struct buffer encoded;
	AUTO(buffer_fini) struct buffer frame;
	bool has_answer;
	enum wire_status status;

	answer_init(&answer);
	buffer_init(&frame, ANSWER_MAX_SIZE_CSR + 64);
	gateway_handle(&device->gateway, (struct span){(const uint8_t *)payload->data, payload->size}, &answer);
	has_answer = answer_encode(&answer, &encoded);
	device->last_status = has_answer ? (int)answer.outcome.status : -1;
	answer_fini(&answer);
	if (has_answer)
		frame_put(&frame, &encoded);
	else
		frame_put_error(&frame, FRAME_STATUS_NOT_PROCESSED);
	status = send_answer(device, wire, &frame);
	if (status == WIRE_STOPPED)
		return DEVICE_EXIT_STOPPED;
	if (!has_answer || status == WIRE_CLOSED)
		return DEVICE_EXIT_ERROR;
	return device->gateway.session_finished ? DEVICE_EXIT_GOOD : LIFE_GOES_ON;
}

/* One connection; all its messages. */
static int serve(struct device *device, int fd)
{
	struct wire wire;

	wire_init(&wire, fd, device->stop_fds);
	for (;;) {
		AUTO(buffer_fini) struct buffer payload;
		int code;

		switch (frame_read(&wire, &payload)) {
		case FRAME_GOOD:
			break;
		case FRAME_NONE:
			return LIFE_GOES_ON;
		case FRAME_STOPPED:
			return DEVICE_EXIT_STOPPED;
		case FRAME_BROKEN:
		default:
			return device->gateway.message_count > 0 ? DEVICE_EXIT_ABORT : DEVICE_EXIT_ERROR;
		}
		code = handle_message(device, &wire, &payload);
		if (code != LIFE_GOES_ON)
			return code;
	}
}

int device_run(struct device *device)
{
	int code = LIFE_GOES_ON;

	while (code == LIFE_GOES_ON) {
		AUTO(close_fd) int fd = accept_tool(device);

		code = fd < 0 ? DEVICE_EXIT_STOPPED : serve(device, fd);
	}
	/* FCC is gone soon after; who still waits to be accepted is refused. No other gateway gets the port yet: in pep's books it is still
	 * this one's. */
	(void)shutdown(device->listen_fd, SHUT_RDWR);
	return code;
}
