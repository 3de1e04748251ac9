/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/injector/fcc/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void uuids(void **state)
{
	static const char *const bad[] = {"",
					  "7e97eeb8945c58d6a5318c4c66d18aed",
					  "7e97eeb8-945c-58d6-a531-8c4c66d18ae",
					  "7e97eeb8-945c-58d6-a531-8c4c66d18aedd",
					  "7e97eeb8-945c-58d6-a531-8c4c66d18aeg",
					  "7e97eeb8+945c-58d6-a531-8c4c66d18aed",
					  "-7e97eeb894-5c-58d6-a531-8c4c66d18a-"};
	static const uint8_t expected[16] = {0x7e, 0x97, 0xee, 0xb8, 0x94, 0x5c, 0x58, 0xd6,
					     0xa5, 0x31, 0x8c, 0x4c, 0x66, 0xd1, 0x8a, 0xed};
	uint8_t uuid[16];

	(void)state;
	assert_true(rules_uuid("7e97eeb8-945c-58D6-a531-8c4c66d18aed", uuid));
	assert_memory_equal(uuid, expected, 16);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(rules_uuid(bad[i], uuid));
	assert_memory_equal(uuid, expected, 16);
}

static void utc_offsets(void **state)
{
	static const char *const bad[] = {"", "UTC", "+1:00", "01:00", "+01:0", "+01:000", "+01-00", "+aa:00", "+01:0a", " +01:00"};

	(void)state;
	assert_true(rules_utc_offset("+00:00"));
	assert_true(rules_utc_offset("-12:45"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(rules_utc_offset(bad[i]));
}

static void addresses(void **state)
{
	(void)state;
	assert_null(rules_uri_fault("coaps://host:5684", true));
	assert_null(rules_uri_fault("coap://host:5684?aid=1", false));
	assert_null(rules_uri_fault("coaps://host:5684?x=1&aid=1", false));
	assert_non_null(rules_uri_fault("https://host", true));
	assert_non_null(rules_uri_fault("COAPS://host", true));
	assert_non_null(rules_uri_fault("coaps://host?aid=1", true));
	assert_non_null(rules_uri_fault("coaps://host", false));
	assert_non_null(rules_uri_fault("coaps://host?said=1", false));
	assert_non_null(rules_uri_fault("coaps://host?aid=", false));
	assert_string_equal(rules_account_of("coaps://host?aid=1&b=2"), "1&b=2"); /* as the gateway reads it */
	assert_null(rules_account_of("coaps://host"));
}

static void serials(void **state)
{
	char longest[66];

	(void)state;
	memset(longest, 'x', 65);
	longest[65] = '\0';
	assert_non_null(rules_serial_fault(longest, true));
	longest[64] = '\0';
	assert_null(rules_serial_fault(longest, true));
	assert_null(rules_serial_fault("GW 1'(),:=?/+-.", true));
	assert_null(rules_serial_fault("a\\b", false));
	assert_non_null(rules_serial_fault("a\\b", true));
	assert_non_null(rules_serial_fault("", true));
	assert_non_null(rules_serial_fault("a&b", false));
	assert_non_null(rules_serial_fault("a\tb", false));
	assert_non_null(rules_serial_fault("a\x7f", false));
}

static void parameter_names(void **state)
{
	static const char *const bad[] = {"",     "a b",   "a/b",    "\xc3\xa4",         "m",
					  "mbed", "mbed.", "mbed.C", "mbed.CurrentTime", "mbed.VendorId"};
	char longest[102];

	(void)state;
	memset(longest, 'n', 101);
	longest[101] = '\0';
	assert_non_null(rules_parameter_fault(longest));
	longest[100] = '\0';
	assert_null(rules_parameter_fault(longest));
	assert_null(rules_parameter_fault("n"));
	assert_null(rules_parameter_fault("mbed.CurrentTimes"));
	assert_null(rules_parameter_fault("My-own_0.9"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(rules_parameter_fault(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuids),   cmocka_unit_test(utc_offsets),     cmocka_unit_test(addresses),
		cmocka_unit_test(serials), cmocka_unit_test(parameter_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
