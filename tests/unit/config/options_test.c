/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/options.h"

#include "core/config/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

static struct pep_error err;

/* --- the neighbour: a secret is its source in capitals, so to speak --- */

pep_status secret_read(const char *source, const char *data_dir, char **ret_text, struct pep_error *ret_err)
{
	assert_string_equal(data_dir, "/data");
	if (strcmp(source, "file:gone") == 0)
		return pep_fail(ret_err, PEP_NOT_FOUND, 0, "/data/gone: cannot be read");
	*ret_text = strdup("hush");
	assert_non_null(*ret_text);
	return PEP_OK;
}

void secret_free(char *text)
{
	free(text);
}

/* --- what is tested with --- */

enum { URI, PORT, FAST, PATH, WAIT, PASSWORD, NOTE };
static const struct pep_option plugin_options[] = {
	[URI] = {.key = "uri", .help = "where the database is", .min = 3, .max = 10, .type = PEP_STRING},
	[PORT] = {.key = "port", .fallback = "5432", .min = 1, .max = 65535, .type = PEP_INT},
	[FAST] = {.key = "fast", .fallback = "false", .type = PEP_BOOL},
	[PATH] = {.key = "path", .fallback = "pep.db", .type = PEP_PATH},
	[WAIT] = {.key = "wait", .fallback = "5s", .min = 100, .max = 60000, .type = PEP_MILLISECONDS},
	[PASSWORD] = {.key = "password", .fallback = "", .type = PEP_SECRET},
	[NOTE] = {.key = "note", .fallback = "", .min = 2, .max = 5, .type = PEP_STRING},
	{.key = NULL},
};

static struct config_option texts[4];

/* Up to two keys with their values, as parse.c would leave them. */
static pep_status read_two(const char *key, const char *value, const char *second, const char *second_value,
			   struct option_values **ret_values)
{
	const struct config_instance instance = {.name = "db", .plugin = "db", .place = {"c.yaml", 3, 11}, .options = texts};

	texts[0] = (struct config_option){.key = key,
					  .value = value,
					  .is_secret_source = options_is_source(value),
					  .key_place = {"c.yaml", 4, 3},
					  .value_place = {"c.yaml", 4, 9},
					  .next = second ? &texts[1] : NULL};
	texts[1] = (struct config_option){.key = second,
					  .value = second_value,
					  .is_secret_source = second && options_is_source(second_value),
					  .key_place = {"c.yaml", 5, 3},
					  .value_place = {"c.yaml", 5, 9}};
	err = (struct pep_error){0};
	return options_read(&instance, plugin_options, "/data", ret_values, &err);
}

static void assert_refused(const char *key, const char *value, const char *message)
{
	struct option_values *values = NULL;

	assert_int_not_equal(read_two("uri", "here", key, value, &values), PEP_OK);
	assert_null(values);
	if (!strstr(err.message, message))
		fail_msg("\"%s\" is not in \"%s\"", message, err.message);
}

static void defaults_fill_what_is_not_said(void **state)
{
	struct option_values *values = NULL;
	const union pep_value *value;

	(void)state;
	assert_int_equal(read_two("uri", "here", NULL, NULL, &values), PEP_OK);
	value = options_values(values);
	assert_string_equal(value[URI].text, "here");
	assert_int_equal(value[PORT].number, 5432);
	assert_false(value[FAST].flag);
	assert_string_equal(value[PATH].text, "/data/pep.db");
	assert_int_equal(value[WAIT].number, 5000);
	assert_string_equal(value[PASSWORD].text, "");
	assert_string_equal(value[NOTE].text, ""); /* an empty default is none, whatever the range */
	options_free(values);
}

static void values_are_typed(void **state)
{
	static const struct {
		const char *key, *value;
	} cases[] = {{"port", "65535"}, {"fast", "true"},         {"path", "/abs"},
		     {"wait", "1m"},    {"password", "file:key"}, {"note", "hi"}};
	struct option_values *values;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const union pep_value *value;

		if (read_two("uri", "here", cases[i].key, cases[i].value, &values) != PEP_OK)
			fail_msg("refused: %s", err.message);
		value = options_values(values);
		assert_int_equal(value[PORT].number, i == 0 ? 65535 : 5432);
		assert_int_equal(value[FAST].flag, i == 1);
		assert_string_equal(value[PATH].text, i == 2 ? "/abs" : "/data/pep.db");
		assert_int_equal(value[WAIT].number, i == 3 ? 60000 : 5000);
		assert_string_equal(value[PASSWORD].text, i == 4 ? "hush" : "");
		assert_string_equal(value[NOTE].text, i == 5 ? "hi" : "");
		options_free(values);
	}
}

static void faults_name_place_and_cure(void **state)
{
	struct option_values *values = NULL;

	(void)state;
	assert_refused("prot", "1", "c.yaml:5:3: unknown key \"prot\" of plugin \"db\"; did you mean \"port\"?");
	assert_refused("banana", "1", "c.yaml:5:3: unknown key \"banana\" of plugin \"db\"; pep-server --help-plugin db");
	assert_refused("port", "abc", "c.yaml:5:9: \"port\" must be a whole number, not \"abc\"");
	assert_refused("port", "0", "c.yaml:5:9: \"port\" must be a whole number from 1 to 65535");
	assert_refused("fast", "yes", "c.yaml:5:9: \"fast\" must be true or false, not \"yes\"");
	assert_refused("wait", "5", "c.yaml:5:9: \"wait\" must be a time span with its unit");
	assert_refused("wait", "2m", "c.yaml:5:9: \"wait\" must be a time span from 100ms to 1m");
	assert_refused("note", "toolong", "c.yaml:5:9: \"note\" must be a text with a number of bytes from 2 to 5");
	assert_refused("note", "${HOME}", "only secrets are taken from the environment");
	assert_int_not_equal(read_two("port", "1", NULL, NULL, &values), PEP_OK);
	assert_string_equal(err.message, "c.yaml:3:11: plugin \"db\" needs \"uri\" (where the database is)");
}

static void secrets_are_never_literal(void **state)
{
	(void)state;
	assert_refused("password", "hunter2",
		       "c.yaml:5:9: \"password\" is a secret and must not stand here; write file:PATH or ${NAME}");
	assert_null(strstr(err.message, "hunter2"));
	assert_refused("password", "file:gone", "c.yaml:5:9: /data/gone: cannot be read");
}

static void sources_have_two_forms(void **state)
{
	(void)state;
	assert_true(options_is_source("file:/etc/key"));
	assert_true(options_is_source("${PGPASSWORD}"));
	assert_false(options_is_source("file:"));
	assert_false(options_is_source("${}"));
	assert_false(options_is_source("${A} "));
	assert_false(options_is_source("${A-B}"));
	assert_false(options_is_source("$A"));
	assert_false(options_is_source(""));
}

static void assert_list_refused(struct pep_option first, struct pep_option second, const char *message)
{
	const struct pep_option list[] = {first, second, {.key = NULL}};

	assert_int_equal(options_check(list, &err), PEP_INVALID);
	if (!strstr(err.message, message))
		fail_msg("\"%s\" is not in \"%s\"", message, err.message);
}

static void lists_of_plugins_are_checked(void **state)
{
	const struct pep_option good = {.key = "a", .type = PEP_STRING};

	(void)state;
	assert_int_equal(options_check(plugin_options, &err), PEP_OK);
	assert_int_equal(options_check(NULL, &err), PEP_OK);
	assert_list_refused(good, good, "\"a\" is listed twice");
	assert_list_refused(good, (struct pep_option){.key = "", .type = PEP_INT}, "option 1 has a key that is not allowed");
	assert_list_refused(good, (struct pep_option){.key = "B", .type = PEP_INT}, "option 1 has a key that is not allowed");
	assert_list_refused(good, (struct pep_option){.key = "plugin", .type = PEP_STRING},
			    "option 1 has a key that is not allowed");
	assert_list_refused(good, (struct pep_option){.key = "b", .type = 0}, "type 0");
	assert_list_refused(good, (struct pep_option){.key = "b", .type = 7}, "type 7");
	assert_list_refused(good, (struct pep_option){.key = "b", .type = PEP_INT, .min = 2, .max = 1},
			    "minimum above its maximum");
	assert_list_refused(good, (struct pep_option){.key = "b", .type = PEP_INT, .fallback = "x"},
			    "its default: \"b\" must be a whole");
	assert_list_refused(good, (struct pep_option){.key = "b", .type = PEP_INT, .fallback = "9", .min = 1, .max = 8},
			    "from 1 to 8");
	assert_list_refused(good, (struct pep_option){.key = "b", .type = PEP_BOOL, .fallback = ""}, "empty default");
}

static void a_plugin_without_options_takes_none(void **state)
{
	const struct config_instance bare = {.name = "csv", .plugin = "csv"};
	struct config_option option = {.key = "x", .value = "1", .key_place = {"c.yaml", 1, 1}};
	const struct config_instance with = {.name = "csv", .plugin = "csv", .options = &option};
	struct option_values *values = NULL;

	(void)state;
	assert_int_equal(options_read(&bare, NULL, "/data", &values, &err), PEP_OK);
	assert_null(options_values(values));
	options_free(values);
	assert_int_equal(options_read(&with, NULL, "/data", &values, &err), PEP_INVALID);
	options_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_fill_what_is_not_said),
		cmocka_unit_test(values_are_typed),
		cmocka_unit_test(faults_name_place_and_cure),
		cmocka_unit_test(secrets_are_never_literal),
		cmocka_unit_test(sources_have_two_forms),
		cmocka_unit_test(lists_of_plugins_are_checked),
		cmocka_unit_test(a_plugin_without_options_takes_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
