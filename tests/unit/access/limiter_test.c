/* SPDX-License-Identifier: Apache-2.0 */
#include "core/access/limiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool take(struct limiter *limiter, unsigned who, int64_t now_ms, unsigned *ret_wait_s)
{
	unsigned char key[LIMITER_KEY_SIZE] = {0};

	memcpy(key, &who, sizeof(who));
	return limiter_take(limiter, key, now_ms, ret_wait_s);
}

static unsigned take_all(struct limiter *limiter, unsigned who, int64_t now_ms, unsigned *ret_wait_s)
{
	unsigned count = 0;

	while (count < 100000 && take(limiter, who, now_ms, ret_wait_s))
		count++;
	return count;
}

static void a_burst_then_the_rate(void **state)
{
	struct limiter *limiter = limiter_new(600, 20); /* ten a second */
	unsigned wait_s = 0;

	(void)state;
	assert_int_equal(take_all(limiter, 1, 5000, &wait_s), 20);
	assert_int_equal(wait_s, 1);
	assert_false(take(limiter, 1, 5099, &wait_s));
	assert_true(take(limiter, 1, 5100, &wait_s));
	assert_int_equal(take_all(limiter, 1, 6100, &wait_s), 10);
	assert_int_equal(take_all(limiter, 1, 6100 + INT64_C(1000000000000), &wait_s), 20); /* never more than the burst */
	assert_false(take(limiter, 1, 5000, &wait_s));                                      /* a thread that is late */
	limiter_free(limiter);
}

static void who_has_to_wait_is_told_how_long(void **state)
{
	struct limiter *limiter = limiter_new(10, 10); /* one in six seconds */
	unsigned wait_s = 0;

	(void)state;
	assert_int_equal(take_all(limiter, 1, 1000, &wait_s), 10);
	assert_int_equal(wait_s, 6 + 1);
	assert_false(take(limiter, 1, 1000 + 4500, &wait_s));
	assert_int_equal(wait_s, 2);
	assert_true(take(limiter, 1, 1000 + 4500 + 2000, &wait_s));
	limiter_free(limiter);
}

static void each_has_its_own(void **state)
{
	struct limiter *limiter = limiter_new(60, 3);
	unsigned wait_s;

	(void)state;
	assert_int_equal(take_all(limiter, 1, 1000, &wait_s), 3);
	assert_int_equal(take_all(limiter, 2, 1000, &wait_s), 3);
	limiter_free(limiter);
}

/* A hundred thousand others in the same memory: who is at his limit is the last to be forgotten. */
static void many_others_do_not_free_who_has_to_wait(void **state)
{
	struct limiter *limiter = limiter_new(1, 5);
	unsigned wait_s;

	(void)state;
	assert_int_equal(take_all(limiter, 1, 1000, &wait_s), 5);
	for (unsigned other = 2; other < 100000; other++)
		assert_true(take(limiter, other, 1000, &wait_s));
	assert_false(take(limiter, 1, 1000, &wait_s));
	limiter_free(limiter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_then_the_rate),
		cmocka_unit_test(who_has_to_wait_is_told_how_long),
		cmocka_unit_test(each_has_its_own),
		cmocka_unit_test(many_others_do_not_free_who_has_to_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
