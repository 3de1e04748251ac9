/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway.c - what the fcc injector is measured against: gateways that take any message, look at nothing in it, and say that all went
 * well. One thread, on every loopback address at once (127.0.0.0/8), so that each injection can have an address of its own.
 *
 *     pep-bench-gateway serve DELAY_MS           prints its port; answers each message so long after its last byte; until the end of its input
 *     pep-bench-gateway replay PORT COUNT SIZE   a tool that does nothing but connect, send SIZE bytes, read the answer and close, COUNT
 *                                                times one after the other; prints the median and the 99th percentile in microseconds
 *
 * At its end serve prints how many messages it has answered, and the size of the last one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TOKEN_SIZE 8
#define HEAD_SIZE 12 /* token, size */
#define HASH_SIZE 32
#define BUFFER_SIZE 65536
#define EVENTS_MAX 256

static const uint8_t token[TOKEN_SIZE] = {'m', 'b', 'e', 'd', 'p', 'r', 'o', 'v'};
static const char payload[] = "\xbf\x6dSchemeVersion\x65"
			      "0.0.1\x6cReturnStatus\x00\x6bInfoMessage\x78\x1e"
			      "The Factory process succeeded\n\xff";
enum { PAYLOAD_SIZE = sizeof(payload) - 1, ANSWER_SIZE = 16 + PAYLOAD_SIZE + HASH_SIZE };

struct visitor {
	int fd;
	uint8_t head[HEAD_SIZE];
	size_t got, size; /* of this message, with head and hash; size 0: not known yet */
	int64_t due_us;
	struct visitor *next; /* of those that wait for their answer, first come first served */
};

struct gateway {
	int epoll_fd, listen_fd;
	int64_t delay_us;
	uint8_t answer[ANSWER_SIZE];
	struct visitor *first, **last;
	uint64_t answered;
	size_t last_size;
};

static void check(bool is_good, const char *what)
{
	if (is_good)
		return;
	perror(what);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void write_u32(uint8_t *place, size_t number)
{
	for (unsigned i = 0; i < 4; i++)
		place[i] = (uint8_t)(number >> (8 * i));
}

static size_t read_u32(const uint8_t *place)
{
	return (size_t)place[0] | (size_t)place[1] << 8 | (size_t)place[2] << 16 | (size_t)place[3] << 24;
}

static void make_answer(uint8_t *ret_answer)
{
	memcpy(ret_answer, token, TOKEN_SIZE);
	write_u32(ret_answer + 8, 0);
	write_u32(ret_answer + 12, PAYLOAD_SIZE);
	memcpy(ret_answer + 16, payload, PAYLOAD_SIZE);
	check(gnutls_hash_fast(GNUTLS_DIG_SHA256, payload, PAYLOAD_SIZE, ret_answer + 16 + PAYLOAD_SIZE) == 0, "hash");
}

static void watch(const struct gateway *gateway, int fd, void *data)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};

	check(epoll_ctl(gateway->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void leave(struct visitor *visitor)
{
	(void)close(visitor->fd);
	free(visitor);
}

/* As a gateway does after its only message: answer, close, gone. */
static void answer(struct gateway *gateway, struct visitor *visitor)
{
	if (send(visitor->fd, gateway->answer, ANSWER_SIZE, MSG_NOSIGNAL) == ANSWER_SIZE)
		gateway->answered++;
	leave(visitor);
}

static void take_message(struct gateway *gateway, struct visitor *visitor)
{
	gateway->last_size = visitor->size;
	if (!gateway->delay_us) {
		answer(gateway, visitor);
		return;
	}
	check(epoll_ctl(gateway->epoll_fd, EPOLL_CTL_DEL, visitor->fd, NULL) == 0, "epoll_ctl");
	visitor->due_us = now_us() + gateway->delay_us;
	*gateway->last = visitor;
	gateway->last = &visitor->next;
}

static void read_some(struct gateway *gateway, struct visitor *visitor)
{
	uint8_t buffer[BUFFER_SIZE];
	ssize_t got = recv(visitor->fd, buffer, sizeof(buffer), 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		leave(visitor);
		return;
	}
	for (size_t i = 0; i < (size_t)got && visitor->got + i < HEAD_SIZE; i++)
		visitor->head[visitor->got + i] = buffer[i];
	visitor->got += (size_t)got;
	if (visitor->got < HEAD_SIZE)
		return;
	visitor->size = HEAD_SIZE + read_u32(visitor->head + 8) + HASH_SIZE;
	if (memcmp(visitor->head, token, TOKEN_SIZE) != 0 || visitor->got > visitor->size)
		leave(visitor); /* which the injector reports, and the bench with it */
	else if (visitor->got == visitor->size)
		take_message(gateway, visitor);
}

static void accept_all(struct gateway *gateway)
{
	for (;;) {
		int fd = accept4(gateway->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
		struct visitor *visitor;

		if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR))
			return;
		check(fd >= 0, "accept");
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		visitor = calloc(1, sizeof(*visitor));
		check(visitor, "memory");
		visitor->fd = fd;
		watch(gateway, fd, visitor);
	}
}

/* Milliseconds until the next answer is due; negative: none. */
static int answer_due(struct gateway *gateway)
{
	while (gateway->first) {
		struct visitor *visitor = gateway->first;
		int64_t left_us = visitor->due_us - now_us();

		if (left_us > 0)
			return (int)(left_us / 1000 + 1);
		gateway->first = visitor->next;
		if (!gateway->first)
			gateway->last = &gateway->first;
		answer(gateway, visitor);
	}
	return -1;
}

static void serve(struct gateway *gateway)
{
	struct epoll_event events[EVENTS_MAX];

	for (;;) {
		int count = epoll_wait(gateway->epoll_fd, events, EVENTS_MAX, answer_due(gateway));

		check(count >= 0 || errno == EINTR, "epoll_wait");
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == gateway)
				accept_all(gateway);
			else if (events[i].data.ptr)
				read_some(gateway, events[i].data.ptr);
			else
				return; /* the end of our input */
		}
	}
}

/* On all addresses, but of the loopback device alone. */
static int listen_at(uint16_t *ret_port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	check(fd >= 0, "socket");
	check(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) == 0, "bind to the loopback device");
	check(bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 4096) == 0, "listen");
	check(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static int run_gateway(int64_t delay_ms)
{
	struct gateway gateway = {.delay_us = delay_ms * 1000, .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	uint16_t port;

	check(gateway.epoll_fd >= 0, "epoll");
	gateway.last = &gateway.first;
	make_answer(gateway.answer);
	gateway.listen_fd = listen_at(&port);
	watch(&gateway, gateway.listen_fd, &gateway);
	watch(&gateway, STDIN_FILENO, NULL);
	printf("%u\n", port);
	(void)fflush(stdout);
	serve(&gateway);
	printf("%llu %zu\n", (unsigned long long)gateway.answered, gateway.last_size);
	return 0;
}

static void replay_once(const struct sockaddr_in *address, const uint8_t *message, size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	uint8_t reply[ANSWER_SIZE];

	check(fd >= 0, "socket");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	check(connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0, "connect");
	check(send(fd, message, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
	check(recv(fd, reply, sizeof(reply), MSG_WAITALL) == (ssize_t)sizeof(reply), "recv");
	(void)close(fd);
}

static int compare(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static int replay(uint16_t port, size_t count, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int64_t *took_us = calloc(count, sizeof(*took_us));
	uint8_t *message = calloc(1, size);

	check(took_us && message, "memory");
	memcpy(message, token, TOKEN_SIZE);
	write_u32(message + 8, size - HEAD_SIZE - HASH_SIZE);
	for (size_t i = 0; i < count; i++) {
		int64_t start_us = now_us();

		replay_once(&address, message, size);
		took_us[i] = now_us() - start_us;
	}
	qsort(took_us, count, sizeof(*took_us), compare);
	printf("%lld %lld\n", (long long)took_us[count / 2], (long long)took_us[count * 99 / 100]);
	free(message);
	free(took_us);
	return 0;
}

int main(int argc, char **argv)
{
	long first = argc > 2 ? strtol(argv[2], NULL, 10) : -1;
	long count = argc > 4 ? strtol(argv[3], NULL, 10) : 0, size = argc > 4 ? strtol(argv[4], NULL, 10) : 0;

	if (argc == 3 && strcmp(argv[1], "serve") == 0 && first >= 0 && first <= 3600000)
		return run_gateway(first);
	if (argc == 5 && strcmp(argv[1], "replay") == 0 && first > 0 && first < 65536 && count > 0 && count < 1000000 &&
	    size > HEAD_SIZE + HASH_SIZE && size <= BUFFER_SIZE)
		return replay((uint16_t)first, (size_t)count, (size_t)size);
	(void)fprintf(stderr, "usage: pep-bench-gateway serve DELAY_MS | replay PORT COUNT SIZE\n");
	return 2;
}
