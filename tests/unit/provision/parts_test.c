/* SPDX-License-Identifier: Apache-2.0
 *
 * parts_test.c - dispatch ids grow, and an endpoint is held by one.
 */
#include "core/service/dispatch.h"
#include "core/service/endpoints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

static void a_dispatch_id_says_when(void **state)
{
	struct dispatch dispatch;
	char id[25];

	(void)state;
	dispatch_init(&dispatch, NULL);
	dispatch_next(&dispatch, INT64_C(0x65432100) * 1000 + 0x123, id);
	assert_int_equal(strlen(id), 24);
	assert_int_equal(strspn(id, "0123456789abcdef"), 24);
	assert_memory_equal(id, "65432100123000", 14);
	dispatch_fini(&dispatch);
}

static void dispatch_ids_grow_whatever_the_clock_does(void **state)
{
	static const int64_t clocks_ms[] = {1000000, 1000000, 999999, 1, 1000001, 1000001, 5000000};
	struct dispatch dispatch;
	char last[25] = "";
	char id[25];

	(void)state;
	dispatch_init(&dispatch, NULL);
	for (unsigned i = 0; i < 20000; i++) { /* more than the counter's three digits */
		dispatch_next(&dispatch, clocks_ms[i % 7], id);
		assert_true(strcmp(id, last) > 0);
		memcpy(last, id, sizeof(last));
	}
	dispatch_fini(&dispatch);
}

static void dispatch_ids_grow_within_a_millisecond(void **state)
{
	struct dispatch dispatch;
	char last[25] = "";
	char id[25];

	(void)state;
	dispatch_init(&dispatch, NULL);
	for (unsigned i = 0; i < 100; i++) {
		dispatch_next(&dispatch, 1000000, id);
		assert_true(memcmp(id, last, 14) > 0); /* not by the luck of the random digits */
		memcpy(last, id, sizeof(last));
	}
	dispatch_fini(&dispatch);
}

static void dispatch_ids_go_on_after_the_newest_in_the_store(void **state)
{
	static const char *const newest[] = {"65432100ffffffffffffffff", "65432100FFFFFFFFFFFFFFFF", "654321001230000000000000"};
	struct dispatch dispatch;
	char id[25];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		dispatch_init(&dispatch, newest[i]);
		dispatch_next(&dispatch, 1000, id); /* the clock was set back by years */
		assert_true(strcasecmp(id, newest[i]) > 0);
		dispatch_fini(&dispatch);
	}
	dispatch_init(&dispatch, "not an id");
	dispatch_next(&dispatch, 1000, id);
	assert_memory_equal(id, "00000001000000", 14);
	dispatch_fini(&dispatch);
}

static void an_endpoint_is_held_by_one(void **state)
{
	struct endpoint first = {.ip = "10.0.0.1", .port = 7777, .serial = "A"};
	struct endpoint same = {.ip = "10.0.0.1", .port = 7777, .serial = "A"};
	struct endpoint other = {.ip = "10.0.0.1", .port = 7777, .serial = "B"};
	struct endpoint port = {.ip = "10.0.0.1", .port = 7778, .serial = "B"};
	struct endpoint address = {.ip = "10.0.0.11", .port = 7777, .serial = "B"};
	struct endpoints endpoints;

	(void)state;
	endpoints_init(&endpoints);
	assert_int_equal(endpoints_hold(&endpoints, &first), ENDPOINTS_HELD);
	assert_int_equal(endpoints_hold(&endpoints, &port), ENDPOINTS_HELD);
	assert_int_equal(endpoints_hold(&endpoints, &address), ENDPOINTS_HELD);
	assert_int_equal(endpoints_hold(&endpoints, &same), ENDPOINTS_SAME_SERIAL);
	assert_int_equal(endpoints_hold(&endpoints, &other), ENDPOINTS_OTHER_SERIAL);
	endpoints_release(&endpoints, &other); /* which does not hold it */
	assert_int_equal(endpoints_hold(&endpoints, &other), ENDPOINTS_OTHER_SERIAL);
	endpoints_release(&endpoints, &first); /* not the newest of the list */
	assert_int_equal(endpoints_hold(&endpoints, &other), ENDPOINTS_HELD);
	endpoints_release(&endpoints, &port);
	endpoints_release(&endpoints, &address);
	endpoints_release(&endpoints, &other);
	assert_null(endpoints.first);
	endpoints_fini(&endpoints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dispatch_id_says_when),
		cmocka_unit_test(dispatch_ids_grow_whatever_the_clock_does),
		cmocka_unit_test(dispatch_ids_grow_within_a_millisecond),
		cmocka_unit_test(dispatch_ids_go_on_after_the_newest_in_the_store),
		cmocka_unit_test(an_endpoint_is_held_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
