/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that wait: suspended, refused because there are too many, and under way while the server stops.
 */
#include "client.h"
#include "stage.h"

#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

#define HOST "Host: h\r\n\r\n"
#define HOLD "GET /hold HTTP/1.1\r\n" HOST
#define INJECT "GET /inject HTTP/1.1\r\n" HOST
#define ECHO "GET /echo HTTP/1.1\r\n" HOST

static struct stage stage; /* one test at a time */

static void expect_status(struct client *client, unsigned status)
{
	struct client_reply reply = client_read(client, false);

	assert_int_equal(reply.status, status);
	client_reply_free(&reply);
}

/* The next beat is given when the one before is answered. */
static void wait_for_turn(void)
{
	while (!listener_turns(stage.listener))
		(void)sched_yield();
}

static void test_an_http_thread_that_hangs_is_found(void **state)
{
	struct client held;
	unsigned turns = 0;

	(void)state;
	stage_set(&stage);
	stage.settings.threads = 3;
	stage_start(&stage);
	assert_true(listener_turns(stage.listener));
	for (size_t i = 0; i < 5; i++)
		wait_for_turn();
	/* Requests under way, and workers that wait, are no standstill. */
	held = client_open(stage.port);
	client_send(&held, HOLD);
	stage_wait_held(&stage, 1);
	wait_for_turn();
	wait_for_turn();
	client_close(&held);
	held = client_open(stage.port);
	client_send(&held, "GET /stuck HTTP/1.1\r\n" HOST);
	stage_wait_held(&stage, 2);
	/* Once more, if what it was given before was answered just in time. */
	for (size_t i = 0; i < 5000; i++) {
		turns += listener_turns(stage.listener);
		(void)sched_yield();
	}
	assert_in_range(turns, 0, 1);
	stage_open_gate(&stage);
	expect_status(&held, 200);
	wait_for_turn();
	client_close(&held);
	stage_stop(&stage, 10000);
}

static void test_others_are_answered_while_some_wait(void **state)
{
	struct client held[4];
	struct client_reply reply;

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	for (size_t i = 0; i < 4; i++) {
		held[i] = client_open(stage.port);
		client_send(&held[i], i % 2 ? HOLD : INJECT);
	}
	stage_wait_held(&stage, 4);
	assert_int_equal(listener_busy(stage.listener), 4);
	for (size_t i = 0; i < 20; i++) {
		reply = client_ask(stage.port, ECHO);
		assert_int_equal(reply.status, 200);
		client_reply_free(&reply);
	}
	stage_open_gate(&stage);
	for (size_t i = 0; i < 4; i++) {
		expect_status(&held[i], 200);
		client_send(&held[i], ECHO); /* the connection goes on */
		expect_status(&held[i], 200);
		client_close(&held[i]);
	}
	stage_stop(&stage, 10000);
}

/* Two run and two are queued, whichever they are; the fifth is told before any of the others goes on. */
static void test_a_full_queue_is_told_at_once(void **state)
{
	struct client clients[5];
	struct pollfd polled[5];
	struct client_reply reply;
	char value[256];

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	for (size_t i = 0; i < 5; i++) {
		clients[i] = client_open(stage.port);
		client_send(&clients[i], INJECT);
		polled[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
	}
	assert_int_equal(poll(polled, 5, 20000), 1);
	for (size_t i = 0; i < 5; i++) {
		if (!polled[i].revents)
			continue;
		reply = client_read(&clients[i], false);
		assert_int_equal(reply.status, 503);
		assert_string_equal(client_header(&reply, "Pep-Error", value), "busy");
		assert_int_not_equal(*client_header(&reply, "Retry-After", value), '\0');
		client_reply_free(&reply);
		client_send(&clients[i], ECHO); /* the connection goes on */
	}
	stage_open_gate(&stage);
	for (size_t i = 0; i < 5; i++) {
		expect_status(&clients[i], 200);
		client_close(&clients[i]);
	}
	stage_stop(&stage, 10000);
}

/* The handler runs to its end, and the server goes on. */
static void test_a_client_that_leaves_is_no_trouble(void **state)
{
	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	for (size_t i = 0; i < 2; i++) {
		struct client client = client_open(stage.port);

		client_send(&client, i ? INJECT : HOLD);
		stage_wait_held(&stage, (unsigned)i + 1);
		client_close(&client);
	}
	stage_open_gate(&stage);
	stage_wait_passed(&stage, 2);
	stage_stop(&stage, 10000);
}

static void *open_gate_later(void *argument)
{
	(void)argument;
	/* The listener is being stopped by now, or will be: either way it has to wait for the gate. */
	stage_open_gate(&stage);
	return NULL;
}

/* Whatever the time limit says. */
static void test_stop_waits_for_handlers(void **state)
{
	struct client clients[4];
	pthread_t thread;

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	for (size_t i = 0; i < 4; i++) {
		clients[i] = client_open(stage.port);
		client_send(&clients[i], INJECT); /* two of them are queued only */
	}
	stage_wait_held(&stage, 2);
	while (listener_busy(stage.listener) < 4)
		(void)sched_yield();
	assert_int_equal(pthread_create(&thread, NULL, open_gate_later, NULL), 0);
	listener_stop(stage.listener, 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(stage.passed, 4);
	for (size_t i = 0; i < 4; i++) {
		expect_status(&clients[i], 200);
		assert_true(client_at_end(&clients[i]));
		client_close(&clients[i]);
	}
	stage_strike(&stage);
}

static void test_draining(void **state)
{
	struct client held;
	struct client open;
	struct client_reply reply;
	char value[256];

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	held = client_open(stage.port);
	client_send(&held, HOLD);
	open = client_open(stage.port);
	client_send(&open, ECHO);
	expect_status(&open, 200);
	stage_wait_held(&stage, 1);
	listener_drain(stage.listener);
	/* Nobody gets in any more, and who is in is told so. */
	assert_true(client_refused(stage.port));
	client_send(&open, ECHO);
	reply = client_read(&open, false);
	assert_int_equal(reply.status, 503);
	assert_string_equal(client_header(&reply, "Pep-Error", value), "draining");
	assert_int_not_equal(*client_header(&reply, "Retry-After", value), '\0');
	assert_string_equal(client_header(&reply, "Connection", value), "close");
	client_reply_free(&reply);
	assert_true(client_at_end(&open));
	client_close(&open);
	assert_int_equal(listener_busy(stage.listener), 1);
	stage_open_gate(&stage);
	reply = client_read(&held, false);
	assert_int_equal(reply.status, 200);
	assert_string_equal(client_header(&reply, "Connection", value), "close");
	client_reply_free(&reply);
	client_close(&held);
	stage_stop(&stage, 10000);
}

static _Atomic(bool) stopped;
static _Atomic(unsigned) answered;

/* One request after the other, until the server is gone. Every request is answered whole, or not at all. */
static void *load(void *argument)
{
	const char *request = argument;

	while (!stopped && !client_refused(stage.port)) {
		struct client client = client_open_if_possible(stage.port);

		if (client.fd < 0)
			break;
		for (;;) {
			struct client_reply reply;

			client_send(&client, request);
			reply = client_read(&client, false);
			if (!reply.status)
				break;
			assert_true(reply.is_whole);
			assert_true(reply.status == 200 || reply.status == 503);
			answered += reply.status == 200;
			client_reply_free(&reply);
		}
		client_close(&client);
	}
	return NULL;
}

static void test_stop_under_load(void **state)
{
	static char *const requests[] = {ECHO, "GET /work HTTP/1.1\r\n" HOST, INJECT, "GET /stream?size=300000 HTTP/1.1\r\n" HOST};
	pthread_t threads[8];

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		stage_set(&stage);
		stage_start(&stage);
		stage_open_gate(&stage);
		stopped = false;
		answered = 0;
		for (size_t i = 0; i < 8; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, load, requests[i % 4]), 0);
		while (answered < 200)
			(void)sched_yield();
		listener_drain(stage.listener);
		listener_stop(stage.listener, 10000);
		stopped = true;
		for (size_t i = 0; i < 8; i++)
			assert_int_equal(pthread_join(threads[i], NULL), 0);
		stage_strike(&stage);
	}
}

/* The ninth has to wait until one of the eight leaves. */
static void test_no_more_connections_than_allowed(void **state)
{
	struct client clients[9];
	struct pollfd polled;

	(void)state;
	stage_set(&stage);
	stage.settings.connections = 8;
	stage_start(&stage);
	for (size_t i = 0; i < 8; i++) {
		clients[i] = client_open(stage.port);
		client_send(&clients[i], i < 2 ? HOLD : ECHO);
		if (i >= 2)
			expect_status(&clients[i], 200);
	}
	clients[8] = client_open(stage.port);
	client_send(&clients[8], ECHO);
	for (size_t i = 0; i < 50; i++) { /* the server is alive and does not look at the ninth */
		client_send(&clients[2], ECHO);
		expect_status(&clients[2], 200);
	}
	polled = (struct pollfd){.fd = clients[8].fd, .events = POLLIN};
	assert_int_equal(poll(&polled, 1, 0), 0);
	client_close(&clients[7]);
	expect_status(&clients[8], 200);
	stage_open_gate(&stage);
	for (size_t i = 0; i < 2; i++)
		expect_status(&clients[i], 200);
	for (size_t i = 0; i < 9; i++)
		if (i != 7)
			client_close(&clients[i]);
	stage_stop(&stage, 10000);
}

static void test_no_more_connections_of_one_address(void **state)
{
	struct client clients[3];

	(void)state;
	stage_set(&stage);
	stage.settings.connections_per_address = 2;
	stage_start(&stage);
	for (size_t i = 0; i < 2; i++) {
		clients[i] = client_open(stage.port);
		client_send(&clients[i], ECHO);
		expect_status(&clients[i], 200);
	}
	clients[2] = client_open(stage.port);
	assert_true(client_at_end(&clients[2]));
	for (size_t i = 0; i < 3; i++)
		client_close(&clients[i]);
	stage_stop(&stage, 10000);
}

static void test_what_cannot_be_started_says_why(void **state)
{
	struct stage other;
	struct pep_error err = {0};
	struct listener *listener = NULL;

	(void)state;
	stage_set(&stage);
	stage_start(&stage);
	stage_set(&other);
	other.settings.port = stage.port;
	assert_int_equal(listener_start(&other.settings, &listener, &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, "127.0.0.1:"));
	assert_non_null(strstr(err.message, "in use"));
	other.settings.port = 0;
	other.settings.address = "192.0.2.1";
	assert_int_equal(listener_start(&other.settings, &listener, &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, "192.0.2.1:0: no such address"));
	other.settings.address = "localhost";
	assert_int_equal(listener_start(&other.settings, &listener, &err), PEP_INVALID);
	assert_non_null(strstr(err.message, "'localhost': not a numeric"));
	other.settings.address = "127.0.0.1";
	other.settings.injection_queue = 31;
	assert_int_equal(listener_start(&other.settings, &listener, &err), PEP_INVALID);
	assert_non_null(strstr(err.message, "half of the 64 connections"));
	assert_null(listener);
	stage_strike(&other);
	stage_stop(&stage, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_http_thread_that_hangs_is_found),
		cmocka_unit_test(test_others_are_answered_while_some_wait),
		cmocka_unit_test(test_a_full_queue_is_told_at_once),
		cmocka_unit_test(test_a_client_that_leaves_is_no_trouble),
		cmocka_unit_test(test_stop_waits_for_handlers),
		cmocka_unit_test(test_draining),
		cmocka_unit_test(test_stop_under_load),
		cmocka_unit_test(test_no_more_connections_than_allowed),
		cmocka_unit_test(test_no_more_connections_of_one_address),
		cmocka_unit_test(test_what_cannot_be_started_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
