/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/options.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool parse(const char *const *words, struct options *ret_options, char ret_error[256])
{
	char *argv[16] = {"pep-fcc-sim"};
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	ret_error[0] = '\0';
	return options_parse(argc, argv, ret_options, ret_error, 256);
}

static void nothing_given(void **state)
{
	struct options options;
	char error[256], serial[OPTIONS_SERIAL_SIZE];
	char *folder;

	(void)state;
	assert_true(parse((const char *const[]){NULL}, &options, error));
	assert_int_equal(options.task, OPTIONS_SIMULATE);
	assert_string_equal(options.ip, "127.0.0.1");
	assert_int_equal(options.port, 0);
	assert_int_equal(options.count, 1);
	options_serial(&options, 0, serial);
	assert_string_equal(serial, "SIM-000001");
	assert_true(options_folder(&options, 0, &folder));
	assert_null(folder);
}

static void everything_given(void **state)
{
	static const char *const words[] = {"--count=3",
					    "--first",
					    "999999",
					    "--serial-prefix=GW.",
					    "--store=/x",
					    "--port=65533",
					    "--fault",
					    "2=slow:9",
					    "--fault=double",
					    "--provision=http://h",
					    "--stations=4",
					    "--timeout=5",
					    "--json",
					    "--print",
					    NULL};
	struct options options;
	char error[256], serial[OPTIONS_SERIAL_SIZE];
	char *folder;

	(void)state;
	assert_true(parse(words, &options, error));
	assert_int_equal(options.task, OPTIONS_PROVISION);
	assert_int_equal(options.station_count, 4);
	assert_int_equal(options.timeout_s, 5);
	assert_true(options.json && options.print);
	options_serial(&options, 2, serial);
	assert_string_equal(serial, "GW.1000001");
	assert_true(options_folder(&options, 0, &folder));
	assert_string_equal(folder, "/x/GW.999999");
	free(folder);
	assert_int_equal(options_fault(&options, 0).slow_ms, 0);
	assert_int_equal(options_fault(&options, 1).slow_ms, 9);
	assert_true(options_fault(&options, 2).twice);
}

static void one_gateway_has_the_folder_for_itself(void **state)
{
	struct options options;
	char error[256];
	char *folder;

	(void)state;
	assert_true(parse((const char *const[]){"--store", "y", NULL}, &options, error));
	assert_true(options_folder(&options, 0, &folder));
	assert_string_equal(folder, "y");
	free(folder);
}

static void help_and_version(void **state)
{
	struct options options;
	char error[256];

	(void)state;
	assert_true(parse((const char *const[]){"-h", NULL}, &options, error));
	assert_int_equal(options.task, OPTIONS_HELP);
	assert_true(parse((const char *const[]){"--version", NULL}, &options, error));
	assert_int_equal(options.task, OPTIONS_VERSION);
}

static void errors_name_the_option(void **state)
{
	static const struct {
		const char *words[3];
		const char *named;
	} cases[] = {
		{{"--count", "x"}, "--count"},
		{{"--stations=0"}, "--stations"},
		{{"--ip", "::1"}, "--ip"},
		{{"--fault=a"}, "--fault"},
		{{"--what"}, "--what"},
		{{"--store"}, "--store"},
		{{"--serial-prefix=."}, "--serial-prefix"},
		{{"word"}, "word"},
		{{"--provision=x"}, "--provision"},
		{{"--port=65535", "--count=2"}, "--port"},
	};
	struct options options;
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(parse(cases[i].words, &options, error));
		assert_non_null(strstr(error, cases[i].named));
		assert_null(strchr(error, '\n'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given),
		cmocka_unit_test(everything_given),
		cmocka_unit_test(one_gateway_has_the_folder_for_itself),
		cmocka_unit_test(help_and_version),
		cmocka_unit_test(errors_name_the_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
