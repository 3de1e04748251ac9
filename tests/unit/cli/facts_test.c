/* SPDX-License-Identifier: Apache-2.0
 *
 * Which serial numbers and MACs are taken, and which line of a client tells its address.
 */
#include "cli/provision/facts.h"
#include "cli/provision/fcc.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void placeholders_are_no_serial_numbers(void **state)
{
	static const char *const good[] = {"GW-0001", "a", "7", "aa", "10000000e7f3a1c2", "A=1+2/3", "GW_1", "0001", "111a"};
	static const char *const bad[] = {"",
					  "0",
					  "0000",
					  "xxxx",
					  "----",
					  "To be filled by O.E.M.",
					  "TO BE FILLED BY O.E.M.",
					  "Default string",
					  "none",
					  "a&b",
					  "a\"b",
					  "a\\b",
					  " a",
					  "a ",
					  "\xc3\xa4",
					  "a\tb",
					  "System Serial Number",
					  "undefined",
					  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(facts_serial_fault(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!facts_serial_fault(bad[i]))
			fail_msg("%s was taken", bad[i]);
}

static void macs_are_numbers(void **state)
{
	char numbers[48];

	(void)state;
	assert_true(facts_mac("02:00:5E:10:00:ff\n", 6, numbers, sizeof(numbers)));
	assert_string_equal(numbers, "2,0,94,16,0,255");
	assert_true(facts_mac("02005e1000ff", 6, numbers, sizeof(numbers)));
	assert_true(facts_mac("ff-ff-ff-ff-ff-ff-ff-ff", 8, numbers, sizeof(numbers)));
	assert_string_equal(numbers, "255,255,255,255,255,255,255,255");
	assert_false(facts_mac("00:00:00:00:00:00", 6, numbers, sizeof(numbers)));
	assert_false(facts_mac("02:00:5e:10:00", 6, numbers, sizeof(numbers)));
	assert_false(facts_mac("02:00:5e:10:00:ff:01", 6, numbers, sizeof(numbers)));
	assert_false(facts_mac("02:00:5e:10:00:fg", 6, numbers, sizeof(numbers)));
	assert_false(facts_mac("", 6, numbers, sizeof(numbers)));
	assert_false(facts_mac("ff:ff:ff:ff:ff:ff", 6, numbers, 10));
}

static void the_line_of_the_client_tells_its_address(void **state)
{
	char address[16], port[6];

	(void)state;
	assert_true(fcc_find_address("Factory Client IP Address and Port : 192.168.10.7:43035", address, port));
	assert_string_equal(address, "192.168.10.7");
	assert_string_equal(port, "43035");
	assert_true(fcc_find_address("[INFO] 1.2.3.4 : 7777 ready", address, port));
	assert_string_equal(port, "7777");
	assert_true(fcc_find_address("version 4.13.0.1 at 10.0.0.1:1", address, port));
	assert_string_equal(address, "10.0.0.1");
	assert_false(fcc_find_address("", address, port));
	assert_false(fcc_find_address("waiting for eth0", address, port));
	assert_false(fcc_find_address("1.2.3.4", address, port));
	assert_false(fcc_find_address("1.2.3.4:0", address, port));
	assert_false(fcc_find_address("1.2.3.4:65536", address, port));
	assert_false(fcc_find_address("1.2.3.4:123456", address, port));
	assert_false(fcc_find_address("1.2.3.400:1024", address, port));
	assert_false(fcc_find_address("12:30:45 started", address, port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(placeholders_are_no_serial_numbers),
		cmocka_unit_test(macs_are_numbers),
		cmocka_unit_test(the_line_of_the_client_tells_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
