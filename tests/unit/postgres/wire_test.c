/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/storage/postgres/wire.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void a_message_becomes_one_line(void **state)
{
	static const struct {
		const char *message, *text;
	} table[] = {
		{"", ""},
		{"\n", ""},
		{"plain", "plain"},
		{"failed: refused\n\tIs it running?\n", "failed: refused Is it running?"},
		{"  two  blanks  ", "two blanks"},
		{"Fehler: \xc3\xbc", "Fehler: ??"},
		{"a\x1b[31mb\x7f", "a?[31mb?"},
	};
	char text[WIRE_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		wire_text(table[i].message, text);
		assert_string_equal(text, table[i].text);
	}
}

static void a_long_message_is_cut(void **state)
{
	char message[2 * WIRE_TEXT_SIZE], text[WIRE_TEXT_SIZE];

	(void)state;
	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	wire_text(message, text);
	assert_int_equal(strlen(text), WIRE_TEXT_SIZE - 1);
}

/* A connection that never was: nothing waits, nothing is waited for. */
static void no_connection(void **state)
{
	PGresult *result = NULL;
	struct pep_error err = {0};
	bool again;

	(void)state;
	assert_int_equal(wire_finish(NULL, wire_now_ms() + 60000, &result, &again, &err), PEP_UNKNOWN);
	assert_int_equal(err.status, PEP_UNKNOWN);
	assert_true(again);
	assert_null(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_becomes_one_line),
		cmocka_unit_test(a_long_message_is_cut),
		cmocka_unit_test(no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
