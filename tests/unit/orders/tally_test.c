/* SPDX-License-Identifier: Apache-2.0
 *
 * tally_test.c - the count of one order as a pure thing: who holds, who is counted, what is given back.
 */
#include "core/service/order_tally.h"

#include <pep/storage.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void put_text(const struct tally *tally, char ret_text[512])
{
	struct buffer text;

	buffer_init(&text, PEP_NOTE_SIZE);
	tally_write(tally, &text);
	assert_false(text.failed);
	assert_true(text.size < 512);
	memcpy(ret_text, text.data, text.size);
	ret_text[text.size] = '\0';
	buffer_fini(&text);
}

static struct tally get(const char *text)
{
	struct pep_error err = {0};
	struct tally tally = {0};

	if (tally_read(text, &tally, &err) != PEP_OK)
		fail_msg("%s", err.message);
	return tally;
}

static void a_retry_is_one(void **state)
{
	struct tally tally = get("");
	char text[512];

	(void)state;
	assert_int_equal(tally_hold(&tally, 2, "GW-1", 1), TALLY_HELD);
	assert_int_equal(tally_hold(&tally, 2, "GW-1", 2), TALLY_HELD);
	assert_int_equal(tally_hold(&tally, 2, "GW-\"2", 7), TALLY_HELD);
	assert_int_equal(tally_hold(&tally, 2, "GW-3", 1), TALLY_FULL);
	put_text(&tally, text);
	assert_string_equal(text, "{\"used\":0,\"held\":{\"GW-1\":[1,2],\"GW-\\\"2\":[7,7]}}");
	tally_fini(&tally);
	tally = get(text);
	assert_true(tally_deployed(&tally, "GW-1", 1)); /* late, by the first of its attempts */
	assert_false(tally_deployed(&tally, "GW-1", 1));
	assert_int_equal(tally.used, 1);
	assert_false(tally_release(&tally, "GW-\"2", 6)); /* what is known of an older claim */
	assert_true(tally_release(&tally, "GW-\"2", 7));
	assert_int_equal(tally_hold(&tally, 2, "GW-3", 1), TALLY_HELD);
	assert_int_equal(tally_hold(&tally, 2, "GW-4", 1), TALLY_FULL);
	tally_fini(&tally);
}

static void what_was_before_the_order_is_not_counted(void **state)
{
	struct tally tally = get("{\"used\":5,\"held\":{\"GW-1\":[3,3]}}");

	(void)state;
	assert_true(tally_deployed(&tally, "GW-1", 2));
	assert_int_equal(tally.used, 5);
	assert_null(tally_find(&tally, "GW-1"));
	tally_fini(&tally);
}

static void the_note_is_never_too_long(void **state)
{
	struct tally tally = get("");
	struct buffer text;
	char serial[65];

	(void)state;
	memset(serial, '"', sizeof(serial) - 1);
	serial[64] = '\0';
	for (unsigned i = 0; i < TALLY_HELD_MAX; i++) {
		char number[12];

		(void)snprintf(number, sizeof(number), "%u", i);
		memcpy(serial, number, strlen(number));
		assert_int_equal(tally_hold(&tally, 100000, serial, UINT32_MAX), TALLY_HELD);
	}
	assert_int_equal(tally_hold(&tally, 100000, "GW-1", 1), TALLY_UNSETTLED);
	buffer_init(&text, PEP_NOTE_SIZE);
	tally_write(&tally, &text);
	assert_false(text.failed);
	buffer_fini(&text);
	tally_fini(&tally);
}

static void what_is_no_tally_is_refused(void **state)
{
	static const char *const texts[] = {"[]",
					    "{",
					    "{\"held\":{}}",
					    "{\"used\":-1,\"held\":{}}",
					    "{\"used\":1,\"held\":{\"GW-1\":[2,1]}}",
					    "{\"used\":1,\"held\":{\"GW-1\":[0,1]}}",
					    "{\"used\":1,\"held\":{\"GW-1\":7}}"};
	struct tally tally = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pep_error err = {0};

		assert_int_equal(tally_read(texts[i], &tally, &err), PEP_INVALID);
		assert_null(tally.held);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_retry_is_one),
		cmocka_unit_test(what_was_before_the_order_is_not_counted),
		cmocka_unit_test(the_note_is_never_too_long),
		cmocka_unit_test(what_is_no_tally_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
