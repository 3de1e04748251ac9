/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARGUMENTS_MAX 16

/* Parses words. getopt_long() may put them in another order, not change them. */
static int parse(struct session *ret_session, struct failure *failure, const char *const *words)
{
	static const char *argv[ARGUMENTS_MAX];
	int argc = 0;

	argv[argc++] = "pep-cli";
	for (; words[argc - 1]; argc++)
		argv[argc] = words[argc - 1];
	argv[argc] = NULL;
	*failure = (struct failure){0};
	return options_parse(argc, (char **)(void *)argv, ret_session, failure);
}

#define PARSE(session, failure, ...) parse(session, failure, (const char *const[]){__VA_ARGS__, NULL})

static void values_and_defaults(void **state)
{
	struct session session;
	struct failure failure;

	(void)state;
	assert_int_equal(PARSE(&session, &failure, "get-one-identity", "-sA B", "--ip", "::1", "--port=7", "-w", "", "-s", "C"),
			 EXIT_OK);
	assert_string_equal(session.command->name, "get-one-identity");
	assert_string_equal(session_text(&session, 's'), "C");
	assert_string_equal(session_text(&session, 'i'), "::1");
	assert_string_equal(session_text(&session, 'p'), "7");
	assert_string_equal(session_text(&session, 'w'), "izuma-edge-gateway");
	assert_string_equal(session_text(&session, 'e'), "10s");
	assert_false(session_flag(&session, 'k'));
	assert_int_equal(session_check(&session, &failure), EXIT_OK);
}

static void common_options_on_both_sides(void **state)
{
	struct session session;
	struct failure failure;

	(void)state;
	assert_int_equal(PARSE(&session, &failure, "--json", "-v", "get-enrollment-id", "--quiet", "-s", "x"), EXIT_OK);
	assert_true(session.json && session.verbose && session.quiet);
	assert_int_equal(PARSE(&session, &failure, "completion", "zsh", "--json"), EXIT_OK);
	assert_true(session.json);
	assert_string_equal(session.argument, "zsh");
	assert_int_equal(PARSE(&session, &failure, "-V"), EXIT_OK);
	assert_true(session.version);
	assert_int_equal(PARSE(&session, &failure, "get-one-identity", "--help"), EXIT_OK);
	assert_true(session.help);
}

static void assert_usage(const char *message, int code, const struct failure *failure)
{
	assert_int_equal(code, EXIT_USAGE);
	assert_string_equal(failure->message, message);
	assert_string_equal(failure->code, "usage");
}

static void what_is_wrong_is_named(void **state)
{
	struct session session;
	struct failure failure;

	(void)state;
	assert_usage("option -z is unknown", PARSE(&session, &failure, "get-one-identity", "-z"), &failure);
	assert_usage("option --zoo is unknown", PARSE(&session, &failure, "get-one-identity", "--zoo"), &failure);
	assert_usage("option --zoo is unknown", PARSE(&session, &failure, "--zoo", "version"), &failure);
	assert_usage("option -s needs a value", PARSE(&session, &failure, "get-one-identity", "-s"), &failure);
	assert_usage("option --serial-number needs a value", PARSE(&session, &failure, "get-enrollment-id", "--serial-number"),
		     &failure);
	assert_usage("option --json=1 takes no value", PARSE(&session, &failure, "version", "--json=1"), &failure);
	assert_usage("one word too many: b", PARSE(&session, &failure, "help", "a", "b"), &failure);
	assert_usage("one word too many: a", PARSE(&session, &failure, "version", "a"), &failure);
	assert_usage("SHELL is missing, one of: bash zsh fish", PARSE(&session, &failure, "completion"), &failure);
	assert_usage("there is no command Help", PARSE(&session, &failure, "Help"), &failure);
	assert_usage("no command given", parse(&session, &failure, (const char *const[]){NULL}), &failure);
}

static void what_is_missing_is_named_in_order(void **state)
{
	struct session session;
	struct failure failure;

	(void)state;
	assert_int_equal(PARSE(&session, &failure, "get-one-identity", "-s", ""), EXIT_OK);
	assert_usage("-s <serial_number> not specified!", session_check(&session, &failure), &failure);
	assert_int_equal(PARSE(&session, &failure, "get-one-identity", "-s", "x"), EXIT_OK);
	assert_usage("-i <ip> not specified!", session_check(&session, &failure), &failure);
	assert_int_equal(PARSE(&session, &failure, "get-one-identity", "-s", "x", "-i", "y"), EXIT_OK);
	assert_usage("-p <port_number> not specified!", session_check(&session, &failure), &failure);
}

static void choices(void **state)
{
	struct session session;
	struct failure failure;

	(void)state;
	assert_int_equal(PARSE(&session, &failure, "list-enrollment-ids", "-e", "csv"), EXIT_OK);
	assert_int_equal(session_check(&session, &failure), EXIT_OK);
	assert_int_equal(PARSE(&session, &failure, "list-enrollment-ids", "-e", "cs"), EXIT_OK);
	assert_int_equal(session_check(&session, &failure), EXIT_USAGE);
	assert_int_equal(PARSE(&session, &failure, "list-enrollment-ids", "-e", "json csv"), EXIT_OK);
	assert_int_equal(session_check(&session, &failure), EXIT_USAGE);
	/* The order is the server's to judge. */
	assert_int_equal(PARSE(&session, &failure, "list-enrollment-ids", "-o", "asc"), EXIT_OK);
	assert_int_equal(session_check(&session, &failure), EXIT_OK);
}

static void fields_of_the_request(void **state)
{
	struct session session;
	struct failure failure;
	json_t *fields = NULL, *expected;

	(void)state;
	assert_int_equal(PARSE(&session, &failure, "list-enrollment-ids", "-l", "7", "-t", "", "-f", "x"), EXIT_OK);
	assert_int_equal(session_fields(&session, &fields, &failure), EXIT_OK);
	expected = json_pack("{ss, ss}", "limit", "7", "order", "DESC");
	assert_true(json_equal(fields, expected));
	json_decref(fields);
	json_decref(expected);
	assert_int_equal(PARSE(&session, &failure, "get-enrollment-id", "-s", "\xff"), EXIT_OK);
	assert_int_equal(session_fields(&session, &fields, &failure), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_defaults),
		cmocka_unit_test(common_options_on_both_sides),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(what_is_missing_is_named_in_order),
		cmocka_unit_test(choices),
		cmocka_unit_test(fields_of_the_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
