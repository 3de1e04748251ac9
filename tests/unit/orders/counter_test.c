/* SPDX-License-Identifier: Apache-2.0
 *
 * counter_test.c - 64 threads of two servers count one order at once. Meant for ThreadSanitizer, too.
 */
#include "core/service/order_counter.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { THREADS = 64, QUANTITY = 40 };

struct storage {
	pthread_mutex_t mutex;
	int64_t revision;
	char text[PEP_NOTE_SIZE + 1];
	unsigned writes;
	bool is_lossy;
};

pep_status storage_note_read(struct storage *storage, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	(void)err;
	assert_string_equal(name, "order.0123456789abcdef.count");
	(void)pthread_mutex_lock(&storage->mutex);
	(void)snprintf(text, PEP_NOTE_SIZE + 1, "%s", storage->text);
	*ret_revision = storage->revision;
	(void)pthread_mutex_unlock(&storage->mutex);
	return PEP_OK;
}

/* As slow as a disk, so that others come meanwhile. */
static void be_slow(void)
{
	const struct timespec pause = {.tv_nsec = 500000};

	(void)nanosleep(&pause, NULL);
}

pep_status storage_note_write(struct storage *storage, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	pep_status status = PEP_OK;

	assert_string_equal(name, "order.0123456789abcdef.count");
	be_slow();
	(void)pthread_mutex_lock(&storage->mutex);
	if (revision == storage->revision) {
		(void)snprintf(storage->text, sizeof(storage->text), "%s", text);
		storage->revision++;
		storage->writes++;
		if (storage->is_lossy && storage->writes % 3 == 0)
			status = pep_fail(err, PEP_UNKNOWN, 0, "lost");
	} else {
		status = pep_fail(err, PEP_CONFLICT, 0, "moved");
	}
	(void)pthread_mutex_unlock(&storage->mutex);
	return status;
}

struct caller {
	struct counter *counter;
	char serial[16];
	enum tally_answer answer;
	pep_status status;
};

static void *call(void *context)
{
	struct caller *caller = context;
	struct counter_change change = {
		.kind = COUNTER_HOLD, .order_id = "0123456789abcdef", .serial = caller->serial, .quantity = QUANTITY, .attempt = 1};
	struct pep_error err = {0};
	enum tally_answer ignored;

	caller->status = counter_do(caller->counter, &change, &caller->answer, &err);
	if (caller->status != PEP_OK || caller->answer != TALLY_HELD)
		return NULL;
	change.kind = COUNTER_DEPLOYED;
	caller->status = counter_do(caller->counter, &change, &ignored, &err);
	return NULL;
}

static void play(bool is_lossy)
{
	struct storage store = {.is_lossy = is_lossy};
	struct counter *counters[2];
	struct caller callers[THREADS] = {0};
	pthread_t threads[THREADS];
	struct tally tally = {0};
	struct pep_error err = {0};
	unsigned held = 0;

	(void)pthread_mutex_init(&store.mutex, NULL);
	assert_int_equal(counter_open(&store, &counters[0], &err), PEP_OK);
	assert_int_equal(counter_open(&store, &counters[1], &err), PEP_OK);
	for (unsigned i = 0; i < THREADS; i++) {
		callers[i].counter = counters[i % 2];
		(void)snprintf(callers[i].serial, sizeof(callers[i].serial), "GW-%u", i);
		assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		assert_int_equal(callers[i].status, PEP_OK);
		held += callers[i].answer == TALLY_HELD;
	}
	assert_int_equal(held, QUANTITY);
	assert_int_equal(counter_read(counters[0], "0123456789abcdef", &tally, &err), PEP_OK);
	assert_int_equal(tally.used, QUANTITY);
	assert_int_equal(tally.held_count, 0);
	assert_true(store.writes <= 2 * QUANTITY); /* each has a change in it */
	tally_fini(&tally);
	counter_close(counters[0]);
	counter_close(counters[1]);
	(void)pthread_mutex_destroy(&store.mutex);
}

static void many_count_at_once(void **state)
{
	(void)state;
	play(false);
}

static void answers_get_lost(void **state)
{
	(void)state;
	play(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(many_count_at_once), cmocka_unit_test(answers_get_lost)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
