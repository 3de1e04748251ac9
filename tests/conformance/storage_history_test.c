/* SPDX-License-Identifier: Apache-2.0
 *
 * Does the check of histories accept what a register can do, and nothing else?
 */
#include "storage_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define READ HISTORY_READ
#define WON HISTORY_WON
#define LOST HISTORY_LOST
/* kind, serial, value, revision, begin, end */
#define EVENTS(...)              \
	(struct history_event[]) \
	{                        \
		__VA_ARGS__      \
	}

static void expect(struct history_event *events, size_t count, const char *problem)
{
	struct history_event bad = {0};
	const char *found = history_check(events, count, &bad);

	if (!problem) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	if (!strstr(found, problem))
		fail_msg("\"%s\" instead of \"%s\"", found, problem);
}
#define GOOD(count, ...) expect(EVENTS(__VA_ARGS__), count, NULL)
#define BAD(problem, count, ...) expect(EVENTS(__VA_ARGS__), count, problem)

static void what_a_register_can_do(void **state)
{
	(void)state;
	GOOD(1, {READ, 1, 0, 0, 1, 2});
	/* One after the other. */
	GOOD(4, {WON, 1, 7, 1, 1, 2}, {READ, 1, 7, 1, 3, 4}, {WON, 1, 8, 2, 5, 6}, {READ, 1, 8, 2, 7, 8});
	/* At the same time, any answer will do. */
	GOOD(4, {WON, 1, 7, 1, 1, 9}, {READ, 1, 0, 0, 2, 3}, {READ, 1, 7, 1, 4, 5}, {LOST, 1, 9, 0, 6, 7});
	/* A refused write may be the last of all, whatever it asked for. */
	GOOD(4, {WON, 1, 7, 1, 1, 2}, {WON, 1, 8, 2, 3, 4}, {LOST, 1, 9, 0, 5, 6}, {LOST, 1, 9, 1, 7, 8});
	/* Serials have nothing to do with each other. */
	GOOD(4, {WON, 1, 7, 1, 1, 2}, {READ, 2, 0, 0, 3, 4}, {WON, 2, 8, 1, 5, 6}, {READ, 1, 7, 1, 7, 8});
}

static void what_it_cannot_do(void **state)
{
	(void)state;
	BAD("two writes", 2, {WON, 1, 7, 1, 1, 2}, {WON, 1, 8, 1, 1, 2});
	BAD("nobody wrote", 1, {READ, 1, 7, 1, 1, 2});
	BAD("left out", 2, {WON, 1, 7, 1, 1, 2}, {WON, 1, 8, 3, 3, 4});
	BAD("not written", 2, {WON, 1, 7, 1, 1, 2}, {READ, 1, 8, 1, 3, 4});
	BAD("not written", 1, {READ, 1, 8, 0, 3, 4});
	BAD("without a reason", 1, {LOST, 1, 7, 0, 1, 2});
	BAD("without a reason", 2, {WON, 1, 7, 1, 1, 2}, {LOST, 1, 8, 1, 3, 4});
}

static void what_comes_too_late_or_too_early(void **state)
{
	(void)state;
	/* A read that does not see what was confirmed before it began. */
	BAD("ended before", 2, {WON, 1, 7, 1, 1, 2}, {READ, 1, 0, 0, 3, 4});
	BAD("ended before", 3, {WON, 1, 7, 1, 1, 2}, {WON, 1, 8, 2, 3, 4}, {READ, 1, 7, 1, 5, 6});
	/* One reader has seen the write, a later one has not, while it is still under way. */
	BAD("ended before", 3, {WON, 1, 7, 1, 1, 9}, {READ, 1, 7, 1, 2, 3}, {READ, 1, 0, 0, 4, 5});
	/* Seen, or in the way, before it began. */
	BAD("ended before", 2, {WON, 1, 7, 1, 5, 6}, {READ, 1, 7, 1, 3, 4});
	BAD("ended before", 2, {WON, 1, 7, 1, 5, 6}, {LOST, 1, 8, 0, 3, 4});
	/* Refused because of a write that a later reader does not see. */
	BAD("ended before", 3, {WON, 1, 7, 1, 1, 9}, {LOST, 1, 8, 0, 2, 3}, {READ, 1, 0, 0, 4, 5});
	/* Writes that were confirmed in the wrong order. */
	BAD("ended before", 2, {WON, 1, 7, 1, 5, 6}, {WON, 1, 8, 2, 3, 4});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_register_can_do),
		cmocka_unit_test(what_it_cannot_do),
		cmocka_unit_test(what_comes_too_late_or_too_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
