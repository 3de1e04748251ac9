/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's clock over a way that may be long: leases are made of it, so what it says may be late by a moment, never by the way.
 */
#include "plugins/storage/postgres/record.h"
#include "plugins/storage/postgres/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define AHEAD_MS 1000000 /* the store's clock before ours */

/* The world of one test; the clocks have no other way to it. */
static struct {
	int64_t boot_ms, answer_ms; /* how long an answer is on its way */
	int64_t answered;           /* the store's time in the last answer */
	unsigned asked;
} world;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = (struct timespec){.tv_sec = (time_t)(world.boot_ms / 1000), .tv_nsec = (long)(world.boot_ms % 1000) * 1000000};
	return 0;
}

pep_status pool_run(struct pool *pool, enum pool_kind kind, const struct session_call *call, PGresult **ret_result,
		    struct pep_error *err)
{
	(void)pool;
	(void)kind;
	(void)err;
	assert_int_equal(call->number, QUERY_NOW);
	world.asked++;
	world.answered = world.boot_ms + AHEAD_MS;
	world.boot_ms += world.answer_ms;
	*ret_result = NULL;
	return PEP_OK;
}

int64_t record_number(const PGresult *result, int row, int field)
{
	(void)result;
	(void)row;
	return field == 0 ? world.answered : 0;
}

static int64_t read_clock(struct watch *watch)
{
	struct pep_error err = {0};
	int64_t now_ms = 0;

	assert_int_equal(watch_now(watch, NULL, &now_ms, &err), PEP_OK);
	return now_ms;
}

static void set_up(struct watch *watch, int64_t answer_ms)
{
	world.boot_ms = 5000;
	world.answer_ms = answer_ms;
	world.asked = 0;
	watch_init(watch);
}

static void test_a_look_is_good_for_a_second(void **state)
{
	struct watch watch;

	(void)state;
	set_up(&watch, 0);
	assert_int_equal(read_clock(&watch), 5000 + AHEAD_MS);
	world.boot_ms += WATCH_FRESH_MS - 1;
	assert_true(read_clock(&watch) == world.boot_ms + AHEAD_MS);
	assert_int_equal(world.asked, 1);
	world.boot_ms++;
	(void)read_clock(&watch);
	assert_int_equal(world.asked, 2);
	watch_fini(&watch);
}

/* Else a claim that begins behind such an answer would have a lease that is shorter by its way. */
static void test_an_answer_that_was_long_on_its_way_is_not_used_again(void **state)
{
	struct watch watch;
	int64_t now_ms, begun_ms;

	(void)state;
	set_up(&watch, 3900);
	now_ms = read_clock(&watch);
	assert_int_equal(now_ms, world.answered);
	begun_ms = world.boot_ms;
	world.answer_ms = 10;
	assert_true(read_clock(&watch) >= begun_ms + AHEAD_MS);
	assert_int_equal(world.asked, 2);
	watch_fini(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_look_is_good_for_a_second),
		cmocka_unit_test(test_an_answer_that_was_long_on_its_way_is_not_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
