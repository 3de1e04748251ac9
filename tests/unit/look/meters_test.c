/* SPDX-License-Identifier: Apache-2.0
 *
 * meters_test.c - a closed list of labels, and a histogram in which every attempt at a gateway is once.
 */
#include "core/service/meters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t count_of(const struct meters *meters, const char *result, const char *reason)
{
	for (size_t i = 0; meters_endings[i].result; i++)
		if (strcmp(meters_endings[i].result, result) == 0 && strcmp(meters_endings[i].reason, reason) == 0)
			return meters_read(&meters->endings[i]);
	fail_msg("no %s %s", result, reason);
	return 0;
}

static void endings(void **state)
{
	struct meters meters = {0};

	(void)state;
	meters_add(&meters, "deployed", "deployed", 1);
	meters_add(&meters, "deployed", "deployed", 1);
	meters_add(&meters, "failed", "gateway_refused", 1);
	meters_add(&meters, "failed", "what a gateway \"says\"", 1);
	assert_int_equal(count_of(&meters, "deployed", "deployed"), 2);
	assert_int_equal(count_of(&meters, "failed", "gateway_refused"), 1);
	assert_int_equal(count_of(&meters, "other", "other"), 1);
	assert_int_equal(count_of(&meters, "failed", "injector_failed"), 0);
}

static void times(void **state)
{
	struct meters meters = {0};

	(void)state;
	meters_add(&meters, "deployed", "deployed", -5);
	meters_add(&meters, "deployed", "deployed", meters_bounds_ms[0]);
	meters_add(&meters, "failed", "gateway_refused", meters_bounds_ms[0] + 1);
	meters_add(&meters, "in_doubt", "in_doubt", meters_bounds_ms[METERS_BUCKETS - 1] + 1);
	/* These never were at a gateway. */
	meters_add(&meters, "refused", "exists", 1);
	meters_add(&meters, "not_done", "draining", 1);
	meters_add(&meters, "replayed", "replayed", 1);
	assert_int_equal(meters_read(&meters.buckets[0]), 2);
	assert_int_equal(meters_read(&meters.buckets[1]), 1);
	assert_int_equal(meters_read(&meters.buckets[METERS_BUCKETS]), 1);
	assert_int_equal(meters_read(&meters.sum_ms), 2 * meters_bounds_ms[0] + 1 + meters_bounds_ms[METERS_BUCKETS - 1] + 1);
	for (size_t i = 1; i < METERS_BUCKETS; i++)
		assert_true(meters_bounds_ms[i] > meters_bounds_ms[i - 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(endings), cmocka_unit_test(times)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
