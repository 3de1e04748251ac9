/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/print.h"

#include "core/config/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#include <unistd.h>

static char path[] = "/tmp/pep-print-XXXXXX";
static struct pep_error err;

static const struct pep_option options[] = {
	{.key = "path", .fallback = "pep.db", .type = PEP_PATH},
	{.key = "wait", .fallback = "5s", .type = PEP_MILLISECONDS},
	{.key = "password", .fallback = "", .type = PEP_SECRET},
	{.key = "user", .type = PEP_STRING},
	{.key = NULL},
};

static struct config *load(const char *text)
{
	FILE *file = fopen(path, "w");
	struct config *config = NULL;

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	if (config_load(path, &config, &err) != PEP_OK)
		fail_msg("%s", err.message);
	return config;
}

static char *print(const struct config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	print_sections(out, config);
	(void)fputs("storage:\n", out);
	print_instance(out, &config->storage, options, false);
	(void)fputs("injector:\n", out);
	print_instance(out, &config->injector, NULL, false);
	(void)fputs("exporters:\n", out);
	for (size_t i = 0; i < config->exporter_count; i++)
		print_instance(out, &config->exporters[i], NULL, true);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_shows(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void values_come_with_their_origin(void **state)
{
	struct config *config = load("server: {name: x, port: 7}\nidentity:\n  category: 'a \"b\" \\ c'\ninjector: mock\n"
				     "storage: {plugin: sqlite, path: here.db}\n");
	char *text = print(config);

	(void)state;
	assert_shows(text, "server:\n  name: \"x\"");
	assert_shows(text, ":1:25\n");
	assert_shows(text, "  idle_timeout: 15s  # default\n");
	assert_shows(text, "  category: \"a \\\"b\\\" \\\\ c\"");
	assert_shows(text, "  # serial_pattern: not set\n");
	assert_shows(text, "  networks: [\"10.0.0.0/8\", ");
	assert_shows(text, "storage:\n  plugin: sqlite");
	assert_shows(text, "  path: \"here.db\"");
	assert_shows(text, "  wait: 5s  # default\n");
	assert_shows(text, "  # user: not set\n");
	assert_shows(text, "  # password: not set\n");
	assert_shows(text, "  - name: csv\n    plugin: csv  # default\n");
	free(text);
	config_free(config);
}

static void what_is_printed_reads_the_same(void **state)
{
	struct config *config = load("server: {name: x, port: 7}\nidentity: {category: 'a \"b\" \\ c', serial_pattern: '\\d+', "
				     "networks: ['::/0', 192.0.2.7]}\ninjector: mock\ninjection: {timeout: 1500ms}\n");
	char *first = print(config), *second;
	struct config *again = load(first);

	(void)state;
	assert_string_equal(again->category, config->category);
	assert_string_equal(again->serial_pattern, config->serial_pattern);
	assert_int_equal(again->injection_timeout_ms, 1500);
	assert_int_equal(again->network_count, 2);
	assert_memory_equal(again->networks, config->networks, 2 * sizeof(*config->networks));
	second = print(again);
	assert_shows(second, "  timeout: 1500ms");
	free(first);
	free(second);
	config_free(config);
	config_free(again);
}

static void secrets_stay_hidden(void **state)
{
	struct config *literal = load("injector: mock\nstorage: {plugin: sqlite, password: hunter2}\n");
	struct config *source = load("injector: mock\nstorage: {plugin: sqlite, password: 'file:/etc/pep/key'}\n");
	char *text = print(literal);

	(void)state;
	assert_null(strstr(text, "hunter2"));
	assert_shows(text, "  # password: a secret, not shown\n");
	free(text);
	text = print(source);
	assert_shows(text, "  password: \"file:/etc/pep/key\"");
	free(text);
	config_free(literal);
	config_free(source);
}

static int begin(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd) || unsetenv("PEP_SERVER_PORT") ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_with_their_origin),
		cmocka_unit_test(what_is_printed_reads_the_same),
		cmocka_unit_test(secrets_stay_hidden),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
