/* SPDX-License-Identifier: Apache-2.0
 *
 * broadcast_test.c - many readers of the same news: fresh at once, nothing queued, an end that reaches everybody.
 */
#include "core/http/broadcast.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct seat {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned woken;
};

struct maker {
	atomic_int made;
	atomic_bool fails;
	size_t size;                      /* of a message; 0: a short one */
	_Atomic(int64_t) last_ms, gap_ms; /* when one was made, and after how long */
};

static void make(void *context, struct buffer *message)
{
	struct maker *maker = context;
	int number = atomic_fetch_add(&maker->made, 1) + 1;

	atomic_store(&maker->gap_ms, clock_boot_ms() - atomic_load(&maker->last_ms));
	atomic_store(&maker->last_ms, clock_boot_ms());
	if (atomic_load(&maker->fails)) {
		message->failed = true;
		return;
	}
	buffer_format(message, "data: %d\n\n", number);
	while (message->size < maker->size)
		buffer_byte(message, 'x');
}

static struct broadcast *start(struct maker *maker, unsigned readers, int64_t interval_ms, int64_t comment_ms)
{
	const struct broadcast_settings settings = {.readers = readers,
						    .message_size = 65536,
						    .interval_ms = interval_ms,
						    .comment_ms = comment_ms,
						    .make = make,
						    .context = maker};
	struct broadcast *broadcast = NULL;
	struct pep_error err = {0};

	assert_int_equal(broadcast_new(&settings, &broadcast, &err), PEP_OK);
	return broadcast;
}

static void wake(void *context)
{
	struct seat *seat = context;
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&seat->mutex);

	(void)lock;
	seat->woken++;
	(void)pthread_cond_broadcast(&seat->changed);
}

static void seat_init(struct seat *seat)
{
	*seat = (struct seat){.woken = 0};
	(void)pthread_mutex_init(&seat->mutex, NULL);
	(void)pthread_cond_init(&seat->changed, NULL);
}

static void seat_fini(struct seat *seat)
{
	(void)pthread_cond_destroy(&seat->changed);
	(void)pthread_mutex_destroy(&seat->mutex);
}

/* As the HTTP thread does: suspend, and go on when woken. */
static ssize_t next_bytes(struct broadcast_reader *reader, struct seat *seat, char *data, size_t room)
{
	for (;;) {
		ssize_t size = broadcast_read(reader, data, room);
		unsigned before;

		if (size != BROADCAST_NOTHING)
			return size;
		(void)pthread_mutex_lock(&seat->mutex);
		before = seat->woken;
		(void)pthread_mutex_unlock(&seat->mutex);
		broadcast_wait(reader);
		(void)pthread_mutex_lock(&seat->mutex);
		while (seat->woken == before)
			(void)pthread_cond_wait(&seat->changed, &seat->mutex);
		(void)pthread_mutex_unlock(&seat->mutex);
	}
}

static void expect(struct broadcast_reader *reader, struct seat *seat, const char *text)
{
	char data[64] = "";
	ssize_t size = next_bytes(reader, seat, data, sizeof(data) - 1);

	assert_true(size > 0);
	data[size] = '\0';
	assert_string_equal(data, text);
}

/* Of a message as make() makes it. */
static int number_of(const char *data)
{
	assert_memory_equal(data, "data: ", 6);
	return (int)strtol(data + 6, NULL, 10);
}

static void news_when_something_changes(void **state)
{
	struct maker maker = {0};
	struct broadcast *broadcast = start(&maker, 2, 1, 60000);
	struct broadcast_reader *reader;
	struct seat seat;

	(void)state;
	seat_init(&seat);
	broadcast_tell(broadcast); /* nobody is there: nothing is made */
	reader = broadcast_join(broadcast, wake, &seat);
	assert_non_null(reader);
	assert_int_equal(broadcast_count(broadcast), 1);
	expect(reader, &seat, "data: 1\n\n");
	for (int i = 2; i < 20; i++) {
		char text[32];

		broadcast_tell(broadcast);
		(void)snprintf(text, sizeof(text), "data: %d\n\n", i);
		expect(reader, &seat, text);
	}
	assert_int_equal(atomic_load(&maker.made), 19);
	broadcast_leave(reader);
	assert_int_equal(broadcast_count(broadcast), 0);
	broadcast_free(broadcast);
	seat_fini(&seat);
}

/* However often it is told. */
static void one_message_per_interval(void **state)
{
	struct maker maker = {0};
	struct broadcast *broadcast = start(&maker, 2, 100, 60000);
	struct broadcast_reader *reader;
	struct seat seat;

	(void)state;
	seat_init(&seat);
	reader = broadcast_join(broadcast, wake, &seat);
	expect(reader, &seat, "data: 1\n\n");
	for (int i = 0; i < 1000; i++)
		broadcast_tell(broadcast);
	expect(reader, &seat, "data: 2\n\n");
	assert_int_equal(atomic_load(&maker.made), 2);
	assert_true(atomic_load(&maker.gap_ms) >= 98); /* two clocks, each cut to milliseconds */
	broadcast_leave(reader);
	broadcast_free(broadcast);
	seat_fini(&seat);
}

/* A message that is being read stays whole, and those made meanwhile but the last are missed. */
static void slow_readers_skip(void **state)
{
	struct maker maker = {.size = 100};
	struct broadcast *broadcast = start(&maker, 2, 1, 60000);
	struct broadcast_reader *slow;
	struct broadcast_reader *quick;
	struct seat seats[2];
	char data[128] = "";

	(void)state;
	seat_init(&seats[0]);
	seat_init(&seats[1]);
	slow = broadcast_join(broadcast, wake, &seats[0]);
	assert_int_equal(next_bytes(slow, &seats[0], data, 16), 16);
	assert_memory_equal(data, "data: 1\n\nx", 10);
	quick = broadcast_join(broadcast, wake, &seats[1]);
	for (int number = 0; number < 5;) {
		ssize_t size = next_bytes(quick, &seats[1], data, sizeof(data));

		assert_int_equal(size, 100);
		number = number_of(data);
		broadcast_tell(broadcast);
	}
	for (size_t taken = 16; taken < 100; taken += 28)
		assert_int_equal(next_bytes(slow, &seats[0], data, 28), 28);
	assert_memory_equal(data, "xxxx", 4);
	assert_int_equal(next_bytes(slow, &seats[0], data, sizeof(data)), 100);
	assert_true(number_of(data) >= 5);
	broadcast_leave(slow);
	broadcast_leave(quick);
	broadcast_free(broadcast);
	seat_fini(&seats[0]);
	seat_fini(&seats[1]);
}

static void a_comment_now_and_then(void **state)
{
	struct maker maker = {0};
	struct broadcast *broadcast = start(&maker, 2, 1, 20);
	struct broadcast_reader *reader;
	struct seat seat;

	(void)state;
	seat_init(&seat);
	reader = broadcast_join(broadcast, wake, &seat);
	expect(reader, &seat, "data: 1\n\n");
	expect(reader, &seat, ":\n\n");
	expect(reader, &seat, ":\n\n");
	assert_int_equal(atomic_load(&maker.made), 1);
	broadcast_leave(reader);
	broadcast_free(broadcast);
	seat_fini(&seat);
}

/* What only time changes must not wait for somebody to tell. */
static void fresh_without_a_change(void **state)
{
	struct maker maker = {0};
	const struct broadcast_settings settings = {.readers = 1,
						    .message_size = 64,
						    .interval_ms = 1,
						    .comment_ms = 60000,
						    .refresh_ms = 20,
						    .make = make,
						    .context = &maker};
	struct broadcast *broadcast = NULL;
	struct broadcast_reader *reader;
	struct pep_error err = {0};
	struct seat seat;

	(void)state;
	assert_int_equal(broadcast_new(&settings, &broadcast, &err), PEP_OK);
	seat_init(&seat);
	reader = broadcast_join(broadcast, wake, &seat);
	expect(reader, &seat, "data: 1\n\n");
	expect(reader, &seat, "data: 2\n\n");
	assert_true(atomic_load(&maker.gap_ms) >= 20);
	broadcast_leave(reader);
	broadcast_free(broadcast);
	seat_fini(&seat);
}

static void as_many_as_may(void **state)
{
	struct maker maker = {0};
	struct broadcast *broadcast = start(&maker, 2, 1, 60000);
	struct broadcast_reader *readers[2];
	struct seat seat;

	(void)state;
	seat_init(&seat);
	readers[0] = broadcast_join(broadcast, wake, &seat);
	readers[1] = broadcast_join(broadcast, wake, &seat);
	assert_non_null(readers[0]);
	assert_non_null(readers[1]);
	assert_null(broadcast_join(broadcast, wake, &seat));
	broadcast_leave(readers[0]);
	readers[0] = broadcast_join(broadcast, wake, &seat);
	assert_non_null(readers[0]);
	broadcast_leave(readers[1]);
	broadcast_leave(readers[0]);
	broadcast_free(broadcast);
	seat_fini(&seat);
}

/* A message that cannot be made is left out, and the next one comes. */
static void what_fails_is_left_out(void **state)
{
	struct maker maker = {0};
	struct broadcast *broadcast = start(&maker, 2, 1, 30);
	struct broadcast_reader *reader;
	struct seat seat;

	(void)state;
	seat_init(&seat);
	atomic_store(&maker.fails, true);
	reader = broadcast_join(broadcast, wake, &seat);
	expect(reader, &seat, ":\n\n");
	atomic_store(&maker.fails, false);
	broadcast_tell(broadcast);
	expect(reader, &seat, "data: 2\n\n");
	broadcast_leave(reader);
	broadcast_free(broadcast);
	seat_fini(&seat);
}

struct watcher {
	pthread_t thread;
	struct broadcast *broadcast;
	struct seat seat;
	unsigned messages;
};

static void *watch(void *argument)
{
	struct watcher *watcher = argument;
	struct broadcast_reader *reader = broadcast_join(watcher->broadcast, wake, &watcher->seat);
	char data[64];

	while (next_bytes(reader, &watcher->seat, data, sizeof(data)) != STREAM_END)
		watcher->messages++;
	broadcast_leave(reader);
	return NULL;
}

static void *tell(void *argument)
{
	for (int i = 0; i < 2000; i++)
		broadcast_tell(argument);
	return NULL;
}

/* Whoever waits, reads or joins: all find the end, and the thread is gone. */
static void the_end_reaches_everybody(void **state)
{
	enum { WATCHERS = 8 };
	static struct watcher watchers[WATCHERS];
	struct maker maker = {0};
	struct broadcast *broadcast = start(&maker, WATCHERS + 1, 1, 5);
	struct broadcast_reader *late;
	struct seat seat;
	pthread_t teller;
	char data[64];

	(void)state;
	seat_init(&seat);
	for (size_t i = 0; i < WATCHERS; i++) {
		seat_init(&watchers[i].seat);
		watchers[i].broadcast = broadcast;
		watchers[i].messages = 0;
		assert_int_equal(pthread_create(&watchers[i].thread, NULL, watch, &watchers[i]), 0);
	}
	assert_int_equal(pthread_create(&teller, NULL, tell, broadcast), 0);
	late = broadcast_join(broadcast, wake, &seat);
	assert_true(next_bytes(late, &seat, data, sizeof(data)) > 0);
	assert_int_equal(pthread_join(teller, NULL), 0);
	broadcast_end(broadcast);
	broadcast_end(broadcast);
	for (size_t i = 0; i < WATCHERS; i++) {
		assert_int_equal(pthread_join(watchers[i].thread, NULL), 0);
		seat_fini(&watchers[i].seat);
	}
	assert_int_equal(broadcast_read(late, data, sizeof(data)), STREAM_END);
	broadcast_leave(late);
	late = broadcast_join(broadcast, wake, &seat);
	assert_int_equal(next_bytes(late, &seat, data, sizeof(data)), STREAM_END);
	broadcast_leave(late);
	broadcast_free(broadcast);
	seat_fini(&seat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(news_when_something_changes), cmocka_unit_test(one_message_per_interval),
		cmocka_unit_test(slow_readers_skip),           cmocka_unit_test(a_comment_now_and_then),
		cmocka_unit_test(fresh_without_a_change),      cmocka_unit_test(as_many_as_may),
		cmocka_unit_test(what_fails_is_left_out),      cmocka_unit_test(the_end_reaches_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
