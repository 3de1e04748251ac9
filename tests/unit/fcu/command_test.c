/* SPDX-License-Identifier: Apache-2.0
 *
 * command_test.c - from a template to an argument vector, byte for byte, and to an environment with nothing in it that nobody named.
 */
#include "plugins/injector/fcu/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEMPLATE "{python} {script} inject --endpoint-name={serial} --serial-number={serial} tcp --ip={ip} --port={port}"

static struct command_values values_of(const char *serial)
{
	return (struct command_values){.python = "/opt/fcu/bin/python",
				       .script = "/opt/f c u/ft_demo.py",
				       .home = "/opt/fcu",
				       .serial = serial,
				       .ip = "10.0.0.1",
				       .port = 7777};
}

static void expect(const char *format, const char *serial, const char *const *expected)
{
	struct command_values values = values_of(serial);
	struct pep_error err = {0};
	char **argv = NULL;
	size_t i = 0;

	assert_int_equal(command_build(format, &values, &argv, &err), PEP_OK);
	for (; expected[i]; i++) {
		assert_non_null(argv[i]);
		assert_string_equal(argv[i], expected[i]);
	}
	assert_null(argv[i]);
	free(argv);
}

static void the_default_is_what_the_original_ran(void **state)
{
	static const char *const expected[] = {"/opt/fcu/bin/python",  "/opt/f c u/ft_demo.py", "inject",
					       "--endpoint-name=GW-1", "--serial-number=GW-1",  "tcp",
					       "--ip=10.0.0.1",        "--port=7777",           NULL};

	(void)state;
	expect(TEMPLATE, "GW-1", expected);
}

/* What a shell would have done something with. */
static void values_go_through_byte_for_byte(void **state)
{
	static const char *const serials[] = {"A B",
					      "A$B",
					      "A\\B",
					      "A'B",
					      "A\"B",
					      "A>f",
					      "a;b&c|d(e<f\ng`h`",
					      "{ip} {serial}",
					      "%s%n",
					      "  two  blanks  ",
					      "",
					      "\xc3\xa4\xff",
					      "*?[a]~",
					      "$(touch x)"};

	(void)state;
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		char whole[64];
		char inside[64];
		const char *expected[] = {"/opt/fcu/bin/python", whole, inside, "10.0.0.1", "7777", NULL};

		(void)snprintf(whole, sizeof(whole), "%s", serials[i]);
		(void)snprintf(inside, sizeof(inside), "--x=%s,%s.", serials[i], serials[i]);
		expect("{python} {serial}  --x={serial},{serial}. {ip} {port} ", serials[i], expected);
	}
}

static void a_value_does_not_become_an_option(void **state)
{
	struct command_values values = values_of("--help");
	struct pep_error err = {0};
	char **argv = NULL;

	(void)state;
	assert_int_equal(command_build("/bin/x {serial} {ip} {port}", &values, &argv, &err), PEP_INVALID);
	assert_null(argv);
	assert_non_null(strstr(err.message, "{serial}"));
	assert_int_equal(command_build("/bin/x --name={serial} {ip} {port}", &values, &argv, &err), PEP_OK);
	assert_string_equal(argv[1], "--name=--help");
	free(argv);
}

static void templates_are_checked(void **state)
{
	static const struct {
		const char *format, *says; /* NULL: it is good */
	} samples[] = {
		{TEMPLATE, NULL},
		{"/bin/x {serial}{ip}{port}", NULL},
		{"{home}/bin/x {serial} {ip} {port}", NULL},
		{"", "0 words"},
		{"  ", "0 words"},
		{"x {serial} {ip} {port}", "absolute"},
		{"{serial} {ip} {port}", "absolute"},
		{"./x {serial} {ip} {port}", "absolute"},
		{"/bin/x {ip} {port}", "{serial}"},
		{"/bin/x {serial} {port}", "{ip}"},
		{"/bin/x {serial} {ip}", "{port}"},
		{"/bin/x {serial} {ip} {port} {nonce}", "unknown placeholder"},
		{"/bin/x {serial} {ip} {port} {", "unknown placeholder"},
		{"/bin/x {serial} {ip} {port} {serial", "unknown placeholder"},
		{"/bin/x {serial} {ip} {port} }", "without"},
	};
	struct command_values values = values_of(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct pep_error err = {0};
		pep_status status = command_check(samples[i].format, &values, &err);

		if ((status == PEP_OK) != !samples[i].says || (samples[i].says && !strstr(err.message, samples[i].says)))
			fail_msg("template %zu: %s", i, err.message);
	}
}

static void too_many_words_are_refused(void **state)
{
	char format[1024] = "/bin/x {serial} {ip} {port}";
	struct command_values values = values_of(NULL);
	struct pep_error err = {0};

	(void)state;
	for (size_t i = 4; i < COMMAND_WORDS_MAX; i++)
		memcpy(format + strlen(format), " w", 3);
	assert_int_equal(command_check(format, &values, &err), PEP_OK);
	memcpy(format + strlen(format), " w", 3);
	assert_int_equal(command_check(format, &values, &err), PEP_INVALID);
}

static void the_environment_is_what_is_listed(void **state)
{
	static const char *const expected[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "LANG=C.UTF-8", "FCU_HOME_DIR=/opt/fcu", "TMPDIR=/var/x.tmp",
		"FCU_TEST_TAKEN=it = this",          "X=y=z",          "EMPTY=",       "FCU_TEST_PIN=1234",     NULL};
	struct pep_error err = {0};
	char **environment = NULL;
	size_t i = 0;

	(void)state;
	assert_int_equal(setenv("FCU_TEST_TAKEN", "it = this", 1), 0);
	assert_int_equal(setenv("FCU_TEST_LEFT", "not this", 1), 0);
	assert_int_equal(setenv("FCU_TEST_PIN", "1234", 1), 0);
	assert_int_equal(command_environment("/opt/fcu", "/var/x.tmp",
					     " FCU_TEST_TAKEN FCU_TEST_ABSENT  X=y=z EMPTY=", "FCU_TEST_PIN", &environment, &err),
			 PEP_OK);
	for (; expected[i]; i++) {
		assert_non_null(environment[i]);
		assert_string_equal(environment[i], expected[i]);
	}
	assert_null(environment[i]);
	free(environment);
}

static void names_are_checked(void **state)
{
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(command_check_names("", false, &err), PEP_OK);
	assert_int_equal(command_check_names("A _b2 C=d E=", false, &err), PEP_OK);
	assert_int_equal(command_check_names("A _b2", true, &err), PEP_OK);
	assert_int_equal(command_check_names("2A", false, &err), PEP_INVALID);
	assert_int_equal(command_check_names("=x", false, &err), PEP_INVALID);
	assert_int_equal(command_check_names("A-B=x", false, &err), PEP_INVALID);
	/* A secret that stands in the configuration is not repeated. */
	assert_int_equal(command_check_names("GOOD PIN=canary", true, &err), PEP_INVALID);
	assert_null(strstr(err.message, "canary"));
	assert_non_null(strstr(err.message, "word 2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_is_what_the_original_ran),
		cmocka_unit_test(values_go_through_byte_for_byte),
		cmocka_unit_test(a_value_does_not_become_an_option),
		cmocka_unit_test(templates_are_checked),
		cmocka_unit_test(too_many_words_are_refused),
		cmocka_unit_test(the_environment_is_what_is_listed),
		cmocka_unit_test(names_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
