/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

static bool contains(const char *network_text, const char *address_text)
{
	struct config_network network;
	unsigned char address[16];
	const char *why;

	assert_true(network_read(network_text, &network, &why));
	assert_true(network_address(address_text, address));
	return network_contains(&network, 1, address);
}

static void a_range_holds_what_its_prefix_says(void **state)
{
	(void)state;
	assert_true(contains("10.0.0.0/8", "10.0.0.5"));
	assert_true(contains("10.0.0.0/8", "10.255.255.255"));
	assert_false(contains("10.0.0.0/8", "11.0.0.0"));
	assert_true(contains("192.168.4.0/22", "192.168.7.44"));
	assert_false(contains("192.168.4.0/22", "192.168.8.1"));
	assert_true(contains("192.0.2.1", "192.0.2.1"));
	assert_false(contains("192.0.2.1", "192.0.2.2"));
	assert_true(contains("fc00::/7", "fd12::1"));
	assert_false(contains("fc00::/7", "fe80::1"));
	assert_true(contains("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(contains("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(contains("::1", "::1"));
	assert_false(contains("::1", "::2"));
}

static void ipv4_is_the_same_however_written(void **state)
{
	(void)state;
	assert_true(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
	assert_true(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
	assert_true(contains("0.0.0.0/0", "203.0.113.9"));
	assert_false(contains("0.0.0.0/0", "2001:db8::1"));
	assert_true(contains("::/0", "2001:db8::1"));
	assert_false(contains("::/0", "203.0.113.9")); /* all of IPv6 is not all of IPv4 */
}

static void no_network_contains_nothing(void **state)
{
	unsigned char address[16];

	(void)state;
	assert_true(network_address("10.0.0.1", address));
	assert_false(network_contains(NULL, 0, address));
}

static void what_is_no_range_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/08",
		"10.0.0/8",
		"010.0.0.0/8",
		"host/8",
		"fc00::/129",
		"fe80::1%lo",
		"10.0.0.1/8",
		"fc00::1/7",
		"10.0.0.0/8/8",
		" 10.0.0.0/8",
		"10.0.0.0/8 ",
		"::ffff::/8",
		"0.0.0.1/0",
		"1234567890123456789012345678901234567890123456789/8",
	};
	struct config_network network = {.prefix = 77};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		if (network_read(bad[i], &network, &why))
			fail_msg("\"%s\" was taken for a network", bad[i]);
		assert_non_null(why);
		assert_int_equal(network.prefix, 77); /* written on success only */
	}
}

static void written_ranges_are_read_again(void **state)
{
	static const char *const texts[] = {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "::/0",
					    "::1/128",    "fc00::/7",  "2001:db8::/33"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config_network network;
		const char *why;
		char text[64];

		assert_true(network_read(texts[i], &network, &why));
		network_write(&network, text);
		assert_string_equal(text, texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_holds_what_its_prefix_says), cmocka_unit_test(ipv4_is_the_same_however_written),
		cmocka_unit_test(no_network_contains_nothing),        cmocka_unit_test(what_is_no_range_is_refused),
		cmocka_unit_test(written_ranges_are_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
