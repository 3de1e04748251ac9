/* SPDX-License-Identifier: Apache-2.0
 *
 * Replies that are made while they are sent, and clients that are slow with their request.
 */
#include "client.h"
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOST "Host: h\r\n\r\n"

static struct stage stage; /* one test at a time */

/* As stage.c makes it. */
static bool is_right(const char *body, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (body[i] != (char)('a' + (size - i) % 26))
			return false;
	return true;
}

static void expect_stream(const char *path, size_t size, const char *version)
{
	struct client_reply reply;
	char request[128];

	(void)snprintf(request, sizeof(request), "GET %s?size=%zu HTTP/%s\r\n" HOST, path, size, version);
	reply = client_ask(stage.port, request);
	assert_int_equal(reply.status, 200);
	assert_true(reply.is_whole);
	assert_int_equal(reply.body_size, size);
	client_reply_free(&reply);
}

static void test_streams_of_any_size(void **state)
{
	static const size_t sizes[] = {0, 1, 100, 65536, 131072, 131073, 262144, 4000000};

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		expect_stream("/stream", sizes[i], "1.1");
		expect_stream("/stream", sizes[i], "1.0");
	}
	expect_stream("/rows", 1000000, "1.1");
	stage_wait_closed(&stage, 17);
	stage_stop(&stage, 10000);
	assert_int_equal(stage.closed, 17);
}

/* Made of pieces that the gate, the bend between two halves and the chunks cut differently: the bytes stay in order. */
static void test_streams_keep_their_order(void **state)
{
	struct client_reply reply;

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	reply = client_ask(stage.port, "GET /rows?size=700001 HTTP/1.1\r\n" HOST);
	assert_int_equal(reply.body_size, 700001);
	assert_true(is_right(reply.body, reply.body_size));
	client_reply_free(&reply);
	stage_stop(&stage, 10000);
}

static void test_head_of_a_stream(void **state)
{
	struct client client;
	struct client_reply reply;
	char value[256];

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	client = client_open(stage.port);
	client_send(&client, "HEAD /stream?size=1000000 HTTP/1.1\r\n" HOST);
	reply = client_read(&client, true);
	assert_int_equal(reply.status, 200);
	assert_string_equal(client_header(&reply, "Content-Type", value), "text/csv");
	assert_string_equal(client_header(&reply, "Content-Length", value), "");
	client_reply_free(&reply);
	assert_true(client_at_end(&client));
	client_close(&client);
	stage_wait_closed(&stage, 1);
	stage_stop(&stage, 10000);
}

/* With chunks the last one is missing, without them the connection is reset. */
static void test_a_broken_stream_does_not_look_whole(void **state)
{
	static const char *const requests[] = {"GET /broken?size=0 HTTP/1.1\r\n" HOST, "GET /broken?size=500000 HTTP/1.1\r\n" HOST,
					       "GET /broken?size=0 HTTP/1.0\r\n" HOST, "GET /broken?size=500000 HTTP/1.0\r\n" HOST};

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct client client = client_open(stage.port);
		struct client_reply reply;

		client_send(&client, requests[i]);
		reply = client_read(&client, false);
		assert_false(reply.status && reply.is_whole);
		assert_true(client_at_end(&client));
		client_reply_free(&reply);
		client_close(&client);
	}
	stage_wait_closed(&stage, 4);
	stage_stop(&stage, 10000);
}

/* As many as there are workers and more, none of which reads: a worker is free all the same, and memory stays bounded. */
static void test_slow_readers_keep_no_worker(void **state)
{
	struct client readers[6];

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	for (size_t i = 0; i < 6; i++) {
		readers[i] = client_open(stage.port);
		client_send(&readers[i], "GET /stream?size=1000000000 HTTP/1.1\r\n" HOST);
	}
	for (size_t i = 0; i < 20; i++) {
		struct client_reply reply = client_ask(stage.port, "GET /work HTTP/1.1\r\n" HOST);

		assert_int_equal(reply.status, 200);
		client_reply_free(&reply);
	}
	for (size_t i = 0; i < 6; i++)
		client_close(&readers[i]);
	stage_wait_closed(&stage, 6);
	assert_in_range(stage.filled, 0, 6 * 200); /* of 7,600 pieces each */
	stage_stop(&stage, 10000);
}

/* Before the first byte, and in the middle. */
static void test_a_reader_that_leaves_closes_the_stream(void **state)
{
	struct client client;

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	client = client_open(stage.port);
	client_send(&client, "GET /held?size=100000000 HTTP/1.1\r\n" HOST);
	stage_wait_held(&stage, 1);
	client_close(&client);
	stage_open_gate(&stage);
	stage_wait_closed(&stage, 1);
	stage_stop(&stage, 10000);
}

/* A transfer that nobody takes up is given up at the end, and the stream is closed. */
static void test_stop_breaks_streams_off(void **state)
{
	struct client stuck;
	struct client waiting;
	struct client_reply reply;

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	stuck = client_open(stage.port);
	client_send(&stuck, "GET /stream?size=1000000000 HTTP/1.1\r\n" HOST);
	waiting = client_open(stage.port);
	client_send(&waiting, "GET /held?size=1000000 HTTP/1.1\r\n" HOST);
	stage_wait_held(&stage, 1);
	listener_drain(stage.listener);
	stage_open_gate(&stage);
	stage_stop(&stage, 200);
	reply = client_read(&stuck, false);
	assert_int_equal(reply.status, 200);
	assert_false(reply.is_whole);
	client_reply_free(&reply);
	reply = client_read(&waiting, false);
	assert_true(reply.is_whole);
	client_reply_free(&reply);
	assert_int_equal(stage.closed, 2);
	client_close(&stuck);
	client_close(&waiting);
}

static void *read_to_the_end(void *argument)
{
	struct client_reply reply = client_read(argument, false);

	assert_int_equal(reply.status, 200);
	assert_false(reply.is_whole);
	client_reply_free(&reply);
	stage_open_gate(&stage);
	return NULL;
}

/* The reader is let go although the producer is stuck; the producer is waited for. */
static void test_stop_does_not_let_readers_wait(void **state)
{
	struct client client;
	pthread_t thread;

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	client = client_open(stage.port);
	client_send(&client, "GET /held?size=1000000 HTTP/1.1\r\n" HOST);
	stage_wait_held(&stage, 1);
	assert_int_equal(pthread_create(&thread, NULL, read_to_the_end, &client), 0);
	stage_stop(&stage, 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(stage.closed, 1);
	client_close(&client);
}

/* One byte now and then, as soon as the server has had the time to look: the connection is ended however lively it is. */
static void drip(struct client *client, const char *text)
{
	struct client_reply reply;

	for (;;) {
		client_send_bytes(client, *text ? text : "x", 1);
		text += *text != '\0';
		if (client_is_cut(client, 20))
			break;
	}
	reply = client_read(client, false);
	assert_int_equal(reply.status, 0);
	client_reply_free(&reply);
}

static void test_slow_requests_are_cut_off(void **state)
{
	struct client first;
	struct client second;
	struct client body;
	struct client idle;
	struct client_reply reply;

	(void)state;
	stage_set(&stage);
	stage.settings.header_timeout_ms = 300;
	stage_start(&stage);
	idle = client_open(stage.port);
	client_send(&idle, "GET /echo HTTP/1.1\r\n" HOST);
	reply = client_read(&idle, false);
	client_reply_free(&reply);
	first = client_open(stage.port);
	drip(&first, "GET /echo HTTP/1.1\r\nX-A: ");
	client_close(&first);
	second = client_open(stage.port);
	client_send(&second, "GET /echo HTTP/1.1\r\n" HOST);
	reply = client_read(&second, false);
	assert_int_equal(reply.status, 200);
	client_reply_free(&reply);
	drip(&second, "GET /echo?");
	client_close(&second);
	body = client_open(stage.port);
	client_send(&body, "POST /echo HTTP/1.1\r\nContent-Length: 60000\r\n" HOST);
	drip(&body, "abc");
	client_close(&body);
	/* By now this one has been silent for longer than a request may take; it has not begun one. */
	client_send(&idle, "GET /echo HTTP/1.1\r\n" HOST);
	reply = client_read(&idle, false);
	assert_int_equal(reply.status, 200);
	client_reply_free(&reply);
	client_close(&idle);
	stage_stop(&stage, 10000);
}

/* A worker may take longer than a request: what is cut off is who does not send. */
static void test_slow_handlers_are_not(void **state)
{
	struct client slow;
	struct client held;
	struct client_reply reply;

	(void)state;
	stage_set(&stage);
	stage.settings.header_timeout_ms = 100;
	stage.settings.idle_timeout_ms = 1000;
	stage_start(&stage);
	held = client_open(stage.port);
	client_send(&held, "GET /hold HTTP/1.1\r\n" HOST);
	stage_wait_held(&stage, 1);
	slow = client_open(stage.port);
	drip(&slow, "GET ");
	client_close(&slow);
	stage_open_gate(&stage);
	reply = client_read(&held, false);
	assert_int_equal(reply.status, 200);
	client_reply_free(&reply);
	client_close(&held);
	stage_stop(&stage, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_of_any_size),
		cmocka_unit_test(test_streams_keep_their_order),
		cmocka_unit_test(test_head_of_a_stream),
		cmocka_unit_test(test_a_broken_stream_does_not_look_whole),
		cmocka_unit_test(test_slow_readers_keep_no_worker),
		cmocka_unit_test(test_a_reader_that_leaves_closes_the_stream),
		cmocka_unit_test(test_stop_breaks_streams_off),
		cmocka_unit_test(test_stop_does_not_let_readers_wait),
		cmocka_unit_test(test_slow_requests_are_cut_off),
		cmocka_unit_test(test_slow_handlers_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
