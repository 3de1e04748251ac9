/* SPDX-License-Identifier: Apache-2.0
 *
 * Server-sent events through the listener: who watches is suspended, is not cut off for being quiet, and never holds up a stop.
 */
#include "client.h"
#include "stage.h"

#include "core/base/clock.h"
#include "core/http/broadcast.h"
#include "core/http/traffic.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define HOST "Host: h\r\n\r\n"
#define NEWS "GET /news HTTP/1.1\r\n" HOST
#define MOST ((size_t)32 * 1024 * 1024)

static struct stage stage; /* one test at a time */
static struct traffic traffic;
static atomic_int made;
static atomic_size_t made_size;

static void make(void *context, struct buffer *message)
{
	(void)context;
	buffer_format(message, "data: %d\n\n", atomic_fetch_add(&made, 1) + 1);
	while (message->size < atomic_load(&made_size)) {
		size_t size = atomic_load(&made_size) - message->size;
		char *room = buffer_reserve(message, size);

		assert_non_null(room);
		memset(room, 'x', size);
		message->size += size;
	}
}

static void start(unsigned readers, int64_t comment_ms, int64_t idle_timeout_ms)
{
	const struct broadcast_settings settings = {
		.readers = readers, .message_size = MOST, .interval_ms = 1, .comment_ms = comment_ms, .make = make};
	struct pep_error err = {0};

	atomic_store(&made, 0);
	atomic_store(&made_size, 0);
	memset(&traffic, 0, sizeof(traffic));
	stage_set(&stage);
	assert_int_equal(broadcast_new(&settings, &stage.settings.broadcast, &err), PEP_OK);
	stage.settings.traffic = &traffic;
	stage.settings.idle_timeout_ms = idle_timeout_ms;
	stage_start(&stage);
}

static void stop(void)
{
	struct broadcast *broadcast = stage.settings.broadcast;

	stage_stop(&stage, 20000);
	broadcast_free(broadcast);
}

/* Until the text has come; fails if the peer closes before, or nothing comes for 20 s. */
static void await(struct client *client, const char *text)
{
	char seen[65536] = "";
	size_t size = 0;

	while (!strstr(seen, text)) {
		struct pollfd polled = {.fd = client->fd, .events = POLLIN};
		ssize_t got;

		assert_int_equal(poll(&polled, 1, 20000), 1);
		got = recv(client->fd, seen + size, sizeof(seen) - 1 - size, 0);
		if (got <= 0)
			fail_msg("the end before %s; so far: %s", text, seen);
		size += (size_t)got;
		seen[size] = '\0';
	}
}

static void test_news_and_others(void **state)
{
	struct client watchers[3];
	struct client_reply reply;
	char value[256];

	(void)state;
	start(2, 60000, 20000);
	for (size_t i = 0; i < 2; i++) {
		watchers[i] = client_open(stage.port);
		client_send(&watchers[i], NEWS);
		await(&watchers[i], "data: ");
	}
	/* As many as may; and the others are answered. */
	reply = client_ask(stage.port, NEWS);
	assert_int_equal(reply.status, 503);
	assert_string_equal(client_header(&reply, "Pep-Error", value), "busy");
	assert_int_not_equal(*client_header(&reply, "Retry-After", value), '\0');
	client_reply_free(&reply);
	reply = client_ask(stage.port, "GET /echo HTTP/1.1\r\n" HOST);
	assert_int_equal(reply.status, 200);
	client_reply_free(&reply);
	watchers[2] = client_open(stage.port);
	client_send(&watchers[2], "HEAD /news HTTP/1.1\r\n" HOST);
	reply = client_read(&watchers[2], true);
	assert_int_equal(reply.status, 200);
	assert_string_equal(client_header(&reply, "Content-Type", value), "text/event-stream");
	client_reply_free(&reply);
	client_close(&watchers[2]);
	for (int i = 0; i < 20; i++) {
		char text[32];
		int before = atomic_load(&made);

		broadcast_tell(stage.settings.broadcast);
		(void)snprintf(text, sizeof(text), "data: %d\n\n", before + 1);
		await(&watchers[0], text);
		await(&watchers[1], text);
	}
	client_close(&watchers[0]);
	/* The place of one who has gone is free as soon as the server knows. */
	while (broadcast_count(stage.settings.broadcast) > 1)
		broadcast_tell(stage.settings.broadcast);
	watchers[0] = client_open(stage.port);
	client_send(&watchers[0], NEWS);
	await(&watchers[0], "data: ");
	client_close(&watchers[0]);
	client_close(&watchers[1]);
	stop();
}

/* The comment comes after the time in which a connection without traffic is closed. */
static void test_quiet_is_not_idle(void **state)
{
	struct client watcher;

	(void)state;
	start(2, 1500, 1000);
	watcher = client_open(stage.port);
	client_send(&watcher, NEWS);
	await(&watcher, "data: 1\n\n");
	await(&watcher, ":\n\n");
	broadcast_tell(stage.settings.broadcast);
	await(&watcher, "data: 2\n\n");
	client_close(&watcher);
	stop();
}

static void test_a_stop_ends_it_well(void **state)
{
	struct client watchers[5];

	(void)state;
	start(8, 60000, 20000);
	for (size_t i = 0; i < 5; i++) {
		watchers[i] = client_open(stage.port);
		client_send(&watchers[i], NEWS);
		await(&watchers[i], "data: ");
	}
	stop();
	for (size_t i = 0; i < 5; i++) {
		await(&watchers[i], "0\r\n\r\n"); /* the last chunk */
		assert_true(client_at_end(&watchers[i]));
		client_close(&watchers[i]);
	}
	assert_int_equal(traffic.requests[0][2], 5);
}

/* Sockets hold far less than the message: it is under way, and nobody takes it. */
static void test_who_does_not_read_is_not_waited_for(void **state)
{
	struct client watcher;
	int64_t begun_ms;
	char byte;

	(void)state;
	start(2, 60000, 20000);
	atomic_store(&made_size, MOST);
	watcher = client_open(stage.port);
	client_send(&watcher, NEWS);
	assert_int_equal(recv(watcher.fd, &byte, 1, 0), 1);
	begun_ms = clock_boot_ms();
	stop();
	assert_true(clock_boot_ms() - begun_ms < 10000);
	client_close(&watcher);
}

static void test_injections_are_counted(void **state)
{
	struct client clients[4];
	struct client_reply reply;

	(void)state;
	start(2, 60000, 20000);
	for (size_t i = 0; i < 4; i++) {
		clients[i] = client_open(stage.port);
		client_send(&clients[i], "GET /inject HTTP/1.1\r\n" HOST);
	}
	stage_wait_held(&stage, 2);
	while (atomic_load(&traffic.waiting) < 2)
		continue;
	assert_int_equal(atomic_load(&traffic.injecting), 2);
	stage_open_gate(&stage);
	for (size_t i = 0; i < 4; i++) {
		reply = client_read(&clients[i], false);
		assert_int_equal(reply.status, 200);
		client_reply_free(&reply);
		client_close(&clients[i]);
	}
	stop();
	assert_int_equal(atomic_load(&traffic.injecting), 0);
	assert_int_equal(atomic_load(&traffic.waiting), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_news_and_others),        cmocka_unit_test(test_quiet_is_not_idle),
		cmocka_unit_test(test_a_stop_ends_it_well),    cmocka_unit_test(test_who_does_not_read_is_not_waited_for),
		cmocka_unit_test(test_injections_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
