/* SPDX-License-Identifier: Apache-2.0 */
#include "gateways.h"

#include "gateway_answer.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GATEWAY_LIMIT 512

/* They are a world of their own, as real ones are: there is one of it. */
static struct {
	int fd;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t ended;
	unsigned open, accepted;
	struct gateway *gateways[GATEWAY_LIMIT];
	size_t count;
} world = {.mutex = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

static struct gateway *find(const char *serial)
{
	for (size_t i = 0; i < world.count; i++)
		if (strcmp(world.gateways[i]->serial, serial) == 0)
			return world.gateways[i];
	return NULL;
}

void gateways_look(const char *serial, struct gateway *ret_gateway)
{
	const struct gateway *found;

	(void)pthread_mutex_lock(&world.mutex);
	found = find(serial);
	if (found)
		*ret_gateway = *found;
	else
		memset(ret_gateway, 0, sizeof(*ret_gateway));
	(void)pthread_mutex_unlock(&world.mutex);
}

unsigned gateways_connections(void)
{
	unsigned accepted;

	(void)pthread_mutex_lock(&world.mutex);
	accepted = world.accepted;
	(void)pthread_mutex_unlock(&world.mutex);
	return accepted;
}

/* A whole message is erasing if it is the first of its connection. */
static void note(const struct request *request, bool is_first, const uint8_t *payload, size_t size)
{
	struct gateway *gateway;

	(void)pthread_mutex_lock(&world.mutex);
	gateway = find(request->serial);
	if (!gateway) {
		if (world.count == GATEWAY_LIMIT)
			abort();
		gateway = world.gateways[world.count++] = calloc(1, sizeof(*gateway));
		if (!gateway)
			abort();
		(void)snprintf(gateway->serial, sizeof(gateway->serial), "%s", request->serial);
	}
	gateway->touched = true;
	gateway->messages++;
	if (is_first) {
		gateway->connections++;
		gateway->certificate_size = 0;
	}
	memcpy(gateway->last, payload, size);
	gateway->last_size = size;
	if (answer_takes_certificate(request)) {
		memcpy(gateway->certificate, request->certificate.data, request->certificate.size);
		gateway->certificate_size = request->certificate.size;
	}
	(void)pthread_mutex_unlock(&world.mutex);
}

/* 1: all bytes; 0: closed before the first; -1: closed inside. */
static int read_all(int fd, uint8_t *data, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t got = recv(fd, data + have, size - have, 0);

		if (got <= 0)
			return have ? -1 : 0;
		have += (size_t)got;
	}
	return 1;
}

static bool read_message(int fd, uint8_t *payload, size_t room, size_t *ret_size)
{
	uint8_t head[12], hash[32], expected[32];

	if (read_all(fd, head, sizeof(head)) != 1 || memcmp(head, "mbedprov", 8) != 0)
		return false;
	*ret_size = (size_t)head[8] | (size_t)head[9] << 8 | (size_t)head[10] << 16;
	if (head[11] || !*ret_size || *ret_size > room || read_all(fd, payload, *ret_size) != 1 ||
	    read_all(fd, hash, sizeof(hash)) != 1)
		return false;
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, payload, *ret_size, expected) == 0 && memcmp(hash, expected, 32) == 0;
}

/* Until the other side hangs up, or the time is over. */
static void wait_hangup(int fd, int limit_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};

	(void)poll(&poll_fd, 1, limit_ms);
}

static void send_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		data += sent;
		size -= (size_t)sent;
	}
}

static void talk(int fd)
{
	static const size_t room = 16384;
	uint8_t *payload = malloc(room);
	struct answer answer = {0};
	struct device device = {0};
	bool goes_on = payload != NULL;

	for (bool is_first = true; goes_on; is_first = false) {
		struct request request;
		size_t size;

		if (!read_message(fd, payload, room, &size) || !request_read(payload, size, &device, &request))
			break;
		note(&request, is_first, payload, size);
		answer_make(&request, &device, &answer);
		if (answer.wait_ms)
			wait_hangup(fd, answer.wait_ms);
		send_all(fd, answer.bytes, answer.size);
		goes_on = answer.goes_on;
	}
	device_fini(&device);
	free(payload);
}

static void *serve(void *data)
{
	int fd = *(int *)data;

	free(data);
	talk(fd);
	(void)close(fd);
	(void)pthread_mutex_lock(&world.mutex);
	world.open--;
	(void)pthread_cond_signal(&world.ended);
	(void)pthread_mutex_unlock(&world.mutex);
	return NULL;
}

static void *listen_for_all(void *data)
{
	int fd;

	(void)data;
	while ((fd = accept(world.fd, NULL, NULL)) >= 0) {
		int *copy = malloc(sizeof(*copy)); /* the thread's */
		pthread_t thread;

		if (!copy)
			abort();
		*copy = fd;
		(void)pthread_mutex_lock(&world.mutex);
		world.open++;
		world.accepted++;
		(void)pthread_mutex_unlock(&world.mutex);
		if (pthread_create(&thread, NULL, serve, copy) != 0)
			abort();
		(void)pthread_detach(thread);
	}
	return NULL;
}

uint16_t gateways_listen(int queue, int *ret_fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, queue) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		abort();
	*ret_fd = fd;
	return ntohs(address.sin_port);
}

uint16_t gateways_init(void)
{
	uint16_t port = gateways_listen(256, &world.fd);

	if (pthread_create(&world.thread, NULL, listen_for_all, NULL) != 0)
		abort();
	return port;
}

void busy_port_init(struct busy_port *busy)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	busy->port = gateways_listen(0, &busy->fd);
	address.sin_port = htons(busy->port);
	for (size_t i = 0; i < sizeof(busy->queued) / sizeof(busy->queued[0]); i++) {
		busy->queued[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(busy->queued[i], (struct sockaddr *)&address, sizeof(address));
	}
}

void busy_port_fini(struct busy_port *busy)
{
	for (size_t i = 0; i < sizeof(busy->queued) / sizeof(busy->queued[0]); i++)
		(void)close(busy->queued[i]);
	(void)close(busy->fd);
}

void gateways_fini(void)
{
	(void)shutdown(world.fd, SHUT_RDWR);
	(void)pthread_join(world.thread, NULL);
	(void)close(world.fd);
	(void)pthread_mutex_lock(&world.mutex);
	while (world.open)
		(void)pthread_cond_wait(&world.ended, &world.mutex);
	for (size_t i = 0; i < world.count; i++)
		free(world.gateways[i]);
	world.count = 0;
	(void)pthread_mutex_unlock(&world.mutex);
}
