/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int open_arena(void **state)
{
	*state = calloc(1, sizeof(struct arena)); /* an empty one */
	return *state ? 0 : -1;
}

static int close_arena(void **state)
{
	arena_fini(*state);
	free(*state);
	return 0;
}

static const char *put(void **state, const char *history, struct history_entry entry)
{
	const char *next = NULL;

	assert_int_equal(history_put(*state, history, &entry, &next), PEP_OK);
	return next;
}

static void first_entry_of_each_member(void **state)
{
	const char *history = put(state, NULL,
				  (struct history_entry){.attempt = 4294967295U,
							 .generation = 2,
							 .enrollment_id = "A-1",
							 .dispatch_id = "0123",
							 .deployed_ms = 1700000000123,
							 .ended = HISTORY_DELIVERED,
							 .reason = "why: \"quoted\" \xc3\xa9"});

	assert_string_equal(history, "[{\"attempt\":4294967295,\"generation\":2,\"enrollmentID\":\"A-1\",\"_id\":\"0123\","
				     "\"deployedAt\":1700000000123,\"ended\":\"delivered\",\"reason\":\"why: \\\"quoted\\\" "
				     "\xc3\xa9\"}]");
}

static void absent_members_are_left_out(void **state)
{
	const char *history = put(state, NULL, (struct history_entry){.attempt = 1, .ended = HISTORY_FAILED});

	assert_string_equal(history, "[{\"attempt\":1,\"ended\":\"failed\"}]");
}

static void entries_are_keyed_by_attempt(void **state)
{
	const char *history = put(state, "[]", (struct history_entry){.attempt = 1, .generation = 1, .ended = HISTORY_IN_DOUBT});

	history = put(state, history, (struct history_entry){.attempt = 2, .ended = HISTORY_FAILED});
	history = put(state, history, (struct history_entry){.attempt = 1, .enrollment_id = "A-1", .ended = HISTORY_DELIVERED});
	assert_string_equal(history, "[{\"attempt\":1,\"generation\":1,\"ended\":\"delivered\",\"enrollmentID\":\"A-1\"},"
				     "{\"attempt\":2,\"ended\":\"failed\"}]");
	assert_true(history_delivered(history, 1));
	assert_false(history_delivered(history, 2));
	assert_false(history_delivered(history, 3));
}

static void delivered_stays_delivered(void **state)
{
	const char *history = put(state, NULL, (struct history_entry){.attempt = 1, .ended = HISTORY_DELIVERED});

	history = put(state, history, (struct history_entry){.attempt = 1, .generation = 3, .ended = HISTORY_RETIRED});
	assert_string_equal(history, "[{\"attempt\":1,\"ended\":\"delivered\",\"generation\":3}]");
}

static void strangers_are_kept(void **state)
{
	const char *history = put(state, "[{\"attempt\":1,\"ended\":\"failed\",\"colour\":{\"red\":[1,null]}}]",
				  (struct history_entry){.attempt = 1, .enrollment_id = "A-1"});

	assert_string_equal(history, "[{\"attempt\":1,\"ended\":\"failed\",\"colour\":{\"red\":[1,null]},"
				     "\"enrollmentID\":\"A-1\"}]");
}

static void unfit_text_is_missed(void **state)
{
	const char *history =
		put(state, NULL, (struct history_entry){.attempt = 1, .ended = HISTORY_FAILED, .reason = "not \xff UTF-8"});

	assert_string_equal(history, "[{\"attempt\":1,\"ended\":\"failed\"}]");
}

static void broken_history_is_invalid(void **state)
{
	const char *const broken[] = {"", "[", "{}", "null", "[1]", "[{}]", "[{\"attempt\":\"1\"}]", "[{\"attempt\":1}] x"};
	struct history_entry entry = {.attempt = 1, .ended = HISTORY_DELIVERED};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		const char *next = "untouched";

		assert_int_equal(history_put(*state, broken[i], &entry, &next), PEP_INVALID);
		assert_string_equal(next, "untouched");
		assert_false(history_delivered(broken[i], 1));
		assert_int_equal(history_attempt_of(broken[i], "A-1"), 0);
	}
}

/* Longer than what is printed at once, and every length around that. */
static void long_history_is_whole(void **state)
{
	const char *history = NULL;
	char reason[2100];

	memset(reason, 'x', sizeof(reason));
	for (size_t size = 1980; size < 2060; size++) {
		reason[size] = '\0';
		history = put(state, NULL, (struct history_entry){.attempt = 1, .ended = HISTORY_DELIVERED, .reason = reason});
		assert_int_equal(strlen(history), size + strlen("[{\"attempt\":1,\"ended\":\"delivered\",\"reason\":\"\"}]"));
		assert_true(history_delivered(history, 1));
		reason[size] = 'x';
	}
	for (uint32_t attempt = 2; attempt <= 100; attempt++)
		history = put(state, history,
			      (struct history_entry){.attempt = attempt, .enrollment_id = "A-1", .ended = HISTORY_FAILED});
	assert_true(history_delivered(history, 1));
	assert_string_equal(strrchr(history, '{'), "{\"attempt\":100,\"enrollmentID\":\"A-1\",\"ended\":\"failed\"}]");
}

static void attempt_of_an_enrollment_id(void **state)
{
	const char *history = "[{\"attempt\":1,\"ended\":\"failed\"},{\"attempt\":4,\"enrollmentID\":\"A-4\"}]";

	(void)state;
	assert_int_equal(history_attempt_of(history, "A-4"), 4);
	assert_int_equal(history_attempt_of(history, "A-5"), 0);
	assert_int_equal(history_attempt_of(history, NULL), 0);
	assert_int_equal(history_attempt_of(NULL, "A-4"), 0);
	assert_false(history_delivered(NULL, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_entry_of_each_member),   cmocka_unit_test(absent_members_are_left_out),
		cmocka_unit_test(entries_are_keyed_by_attempt), cmocka_unit_test(delivered_stays_delivered),
		cmocka_unit_test(strangers_are_kept),           cmocka_unit_test(unfit_text_is_missed),
		cmocka_unit_test(broken_history_is_invalid),    cmocka_unit_test(attempt_of_an_enrollment_id),
		cmocka_unit_test(long_history_is_whole),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
