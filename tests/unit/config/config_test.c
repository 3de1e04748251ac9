/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/config.h"

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

static char path[] = "/tmp/pep-config-XXXXXX";
static struct pep_error err;

#define INJECTOR "injector: {plugin: mock}\n"

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static struct config *load_set(const char *text, const char *const *settings, size_t count)
{
	const struct config_source source = {.path = path, .settings = settings, .setting_count = count};
	struct config *config = NULL;

	write_file(text);
	err = (struct pep_error){0};
	if (config_load_from(&source, &config, &err) != PEP_OK)
		assert_null(config);
	return config;
}

static struct config *load(const char *text)
{
	struct config *config = load_set(text, NULL, 0);

	if (!config)
		fail_msg("refused: %s", err.message);
	return config;
}

/* `expected` follows the name of the file, as in ":3:5: unknown key". */
static void assert_refused(const char *text, const char *expected)
{
	char message[600];
	struct config *config = load_set(text, NULL, 0);

	if (config) {
		config_free(config);
		fail_msg("was accepted: %s", text);
	}
	(void)snprintf(message, sizeof(message), "%s%s", path, expected);
	if (!strstr(err.message, message))
		fail_msg("\"%s\" is not in \"%s\"", message, err.message);
	assert_null(strchr(err.message, '\n'));
}

static void almost_nothing_is_enough(void **state)
{
	struct config *config = load(INJECTOR);

	(void)state;
	assert_string_equal(config->listen, "127.0.0.1");
	assert_int_equal(config->port, 5151);
	assert_int_equal(config->http_threads, 2);
	assert_int_equal(config->connections, 512);
	assert_int_equal(config->drain_timeout_ms, 30000);
	assert_string_equal(config->data_dir, "/var/lib/pep");
	assert_int_equal(config->log_level, LOG_INFO);
	assert_int_equal(config->log_format, LOG_FORMAT_LOGFMT);
	assert_true(config->access_log);
	assert_int_equal(config->serials, CONFIG_SERIALS_PRINTABLE);
	assert_null(config->serial_pattern);
	assert_int_equal(config->network_count, 6);
	assert_int_equal(config->injection_timeout_ms, 60000);
	assert_int_equal(config->lease_ms, 120000);
	assert_string_equal(config->storage.plugin, "sqlite");
	assert_string_equal(config->injector.plugin, "mock");
	assert_int_equal(config->exporter_count, 2);
	assert_string_equal(config->exporters[1].name, "json");
	assert_true(strlen(config->name) > 0);
	config_free(config);
	config_free(NULL);
}

static void the_injector_must_be_named(void **state)
{
	const struct config_source source = {.path = NULL, .injector_is_optional = true};
	struct config *config = NULL;

	(void)state;
	assert_refused("", ": no injector is named; add \"injector: {plugin: NAME}\"");
	assert_refused("injector:\n", ": no injector is named");
	assert_refused("injector: {delay_ms: 5s}\n", ": no injector is named");
	assert_int_equal(config_load_from(&source, &config, &err), PEP_OK);
	assert_null(config->injector.plugin);
	config_free(config);
}

static void the_file_says_what_it_says(void **state)
{
	struct config *config = load("server: {name: line-1, listen: '::1', port: 0, data_dir: d, http_threads: 4}\n"
				     "log: {level: debug, format: json, access: false}\n"
				     "identity: {serials: legacy, serial_pattern: '[A-Z]+', networks: [192.0.2.0/24]}\n"
				     "injection: {timeout: 500ms, lease: 1s}\n"
				     "storage: {path: x.db, plugin: postgres, password: '${PG}'}\n"
				     "injector: fcu\n"
				     "exporters: [csv, {name: labels, plugin: csv, sep: ';'}]\n");

	(void)state;
	assert_string_equal(config->name, "line-1");
	assert_string_equal(config->listen, "::1");
	assert_int_equal(config->port, 0);
	assert_string_equal(config->data_dir, "d");
	assert_int_equal(config->http_threads, 4);
	assert_int_equal(config->log_level, LOG_DEBUG);
	assert_int_equal(config->log_format, LOG_FORMAT_JSON);
	assert_false(config->access_log);
	assert_int_equal(config->serials, CONFIG_SERIALS_LEGACY);
	assert_string_equal(config->serial_pattern, "[A-Z]+");
	assert_int_equal(config->network_count, 1);
	assert_int_equal(config->networks[0].prefix, 96 + 24);
	assert_int_equal(config->injection_timeout_ms, 500);
	assert_string_equal(config->storage.plugin, "postgres");
	assert_string_equal(config->storage.options->key, "path");
	assert_false(config->storage.options->is_secret_source);
	assert_string_equal(config->storage.options->next->key, "password");
	assert_true(config->storage.options->next->is_secret_source);
	assert_null(config->storage.options->next->next);
	assert_string_equal(config->injector.plugin, "fcu");
	assert_int_equal(config->injector.place.line, 6);
	assert_int_equal(config->exporter_count, 2);
	assert_string_equal(config->exporters[1].name, "labels");
	assert_string_equal(config->exporters[1].plugin, "csv");
	assert_string_equal(config->exporters[1].options->key, "sep");
	config_free(config);
}

static void strangers_are_refused_with_the_nearest_key(void **state)
{
	(void)state;
	assert_refused("server:\n  prot: 1\n", ":2:3: unknown key \"prot\" in \"server\"; did you mean \"port\"?");
	assert_refused("sever:\n  port: 1\n", ":1:1: unknown section \"sever\"; did you mean \"server\"?");
	assert_refused("banana: 1\n", ":1:1: unknown section \"banana\"; there are server, log");
	assert_refused("server: {lease: 5s}\n", ":1:10: unknown key \"lease\" in \"server\"; it belongs to \"injection\"");
	assert_refused("log: {zzzzzz: 1}\n", ":1:7: unknown key \"zzzzzz\" in \"log\"; pep.yaml(5) lists the keys");
}

static void wrong_values_are_refused(void **state)
{
	static const char *const cases[][2] = {
		{"server: 5\n", ":1:9: \"server\" holds keys"},
		{"server: {port: 65536}\n", ":1:16: \"port\" must be a whole number from 0 to 65535, not \"65536\""},
		{"server: {port: 0x10}\n", ":1:16: \"port\" must be"},
		{"server: {port: }\n", ":1:10: \"port\" has no value"},
		{"server: {port: [1]}\n", ":1:16: \"port\" must be a single value"},
		{"server: {listen: localhost}\n", ":1:18: \"listen\" must be a numeric address"},
		{"server: {name: 'a/b'}\n", ":1:16: \"name\" must be 1 to 64 letters"},
		{"server: {idle_timeout: 15}\n",
		 ":1:24: \"idle_timeout\" must be a time span with its unit (500ms, 30s, 2m, 1h) from 100ms "
		 "to 1h, not \"15\""},
		{"server: {data_dir: ''}\n", ":1:20: \"data_dir\" must have 1 to 1024 bytes, not 0"},
		{"log: {level: inof}\n", ":1:14: \"level\" must be one of error, warning, info, debug; did you mean \"info\"?"},
		{"log: {format: xml}\n", ":1:15: \"format\" must be one of logfmt, json, not \"xml\""},
		{"log: {access: yes}\n", ":1:15: \"access\" must be true or false, not \"yes\""},
		{"identity: {api_address: 'ftp://x'}\n", ":1:25: \"api_address\" must be an address that begins with https://"},
		{"identity: {serial_pattern: '['}\n", ":1:28: \"serial_pattern\" is no POSIX extended regular expression"},
		{"access: {anonymous_provision: true}\n", ":1:31: \"anonymous_provision\" is for named networks only"},
		{"access: {anonymous_networks: [10.0.0.0/8, 0.0.0.0/0]}\n",
		 ":1:30: \"anonymous_networks\" has a network that is everybody"},
		{"access: {anonymous_networks: ['::/0']}\n", ":1:30: \"anonymous_networks\" has a network that is everybody"},
		{"access: {anonymous_networks: []}\n", ":1:30: \"anonymous_networks\" is empty"},
		{"identity: {networks: 10.0.0.0/8}\n", ":1:22: \"networks\" must be a list"},
		{"identity: {networks: []}\n", ":1:22: \"networks\" is empty"},
		{"identity: {networks: [10.0.0.1/8]}\n", ":1:23: \"10.0.0.1/8\" has bits behind its prefix"},
		{"identity: {gateway_port: 0}\n", ":1:26: \"gateway_port\" must be a whole number from 1"},
		{"injection: {lease: 60s}\n", ":1:20: \"lease\" (60000 ms) must be longer than \"timeout\" (60000 ms)"},
		{"injection: {timeout: 3m}\n", ":1:22: \"lease\" (120000 ms) must be longer"},
		{"server: {connections: 383}\n",
		 ":1:23: \"injections\" (64) and \"injection_queue\" (128) may take at most half of "},
		{"server: {injections: 200}\n", ":1:22: \"injections\" (200) and"},
		{"storage: [a]\n", ":1:10: expected the name of a plugin"},
		{"storage: {plugin: ../evil}\n", ":1:19: \"plugin\" must be 1 to 32"},
		{"storage: {plugin: sqlite, path: [a]}\n", ":1:33: \"path\" must be a single value"},
		{"storage: {plugin: sqlite, path: }\n", ":1:27: \"path\" has no value"},
		{"exporters: csv\n", ":1:12: \"exporters\" must be a list"},
		{"exporters: [csv, csv]\n", ":1:18: a second exporter named \"csv\""},
		{"exporters: [{x: y}]\n", ":1:13: an exporter needs a \"name\""},
		{"exporters: [{name: A}]\n", ":1:20: \"plugin\" must be 1 to 32"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text), "%s" INJECTOR, cases[i][0]);
		assert_refused(text, cases[i][1]);
	}
}

static void a_missing_file_is_named(void **state)
{
	struct config *config = NULL;

	(void)state;
	assert_int_equal(config_load("/nowhere/pep.yaml", &config, &err), PEP_NOT_FOUND);
	assert_string_equal(err.message, "/nowhere/pep.yaml: cannot be read: No such file or directory");
	assert_null(config);
}

static void settings_win_over_the_file(void **state)
{
	static const char *const settings[] = {"server.port=0",
					       "server.name=a=b",
					       "identity.networks=10.0.0.0/8, ::/0",
					       "storage.path=/x y.db",
					       "injector.plugin=fcu",
					       "exporters=labels,csv",
					       "server.name=last",
					       "identity.serial_pattern=[A-Z]{3}"};
	struct config *config = load_set("server: {port: 7, name: first}\nstorage: postgres\n" INJECTOR, settings, 8);

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->port, 0);
	assert_string_equal(config->name, "last");
	assert_int_equal(config->network_count, 2);
	assert_string_equal(config->storage.plugin, "postgres");
	assert_string_equal(config->storage.options->key, "path");
	assert_string_equal(config->storage.options->value, "/x y.db");
	assert_string_equal(config->injector.plugin, "fcu");
	assert_int_equal(config->exporter_count, 2);
	assert_string_equal(config->exporters[0].name, "labels");
	assert_string_equal(config->serial_pattern, "[A-Z]{3}");
	config_free(config);
}

static void settings_can_empty_the_exporters(void **state)
{
	static const char *const settings[] = {"exporters="};
	struct config *config = load_set(INJECTOR, settings, 1);

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->exporter_count, 0);
	config_free(config);
}

static void settings_are_checked_like_the_file(void **state)
{
	static const char *const cases[][2] = {
		{"server.port=x", "--set server.port: \"port\" must be a whole number from 0 to 65535, not \"x\""},
		{"server.prot=1", "--set server.prot: unknown key \"prot\" in \"server\"; did you mean \"port\"?"},
		{"sever.port=1", "--set sever.port: unknown section \"sever\"; did you mean \"server\"?"},
		{"server.port", "--set server.port: write SECTION.KEY=VALUE"},
		{"=1", "--set =1: write SECTION.KEY=VALUE"},
		{"server=1", "--set server: write SECTION.KEY=VALUE"},
		{"server.=1", "--set server.: write SECTION.KEY=VALUE"},
		{"exporters.csv.x=1", "--set exporters.csv.x: write SECTION.KEY=VALUE, or exporters=NAME,NAME"},
		{"server.name=a\nb", "--set server.name: control characters"},
		{"server.name=\xff", "--set server.name: control characters or bytes that are not UTF-8"},
		{"server.name=", "--set server.name: \"name\" must be 1 to 64"},
		{"identity.networks=", "--set identity.networks: \"networks\" is empty"},
		{"injection.lease=10s", "--set injection.lease: \"lease\" (10000 ms) must be longer"},
		{"server.connections=4", "--set server.connections: \"injections\" (64) and \"injection_queue\" (128) may take"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const settings[] = {cases[i][0]};
		struct config *config = load_set(INJECTOR, settings, 1);

		if (config)
			fail_msg("was accepted: %s", cases[i][0]);
		if (strncmp(err.message, cases[i][1], strlen(cases[i][1])) != 0)
			fail_msg("\"%s\" does not begin \"%s\"", cases[i][1], err.message);
	}
}

static void the_environment_wins_over_the_port(void **state)
{
	static const char *const settings[] = {"server.port=9"};
	struct config *config;

	(void)state;
	assert_int_equal(setenv("PEP_SERVER_PORT", "8", 1), 0);
	config = load("server: {port: 7}\n" INJECTOR);
	assert_int_equal(config->port, 8);
	config_free(config);
	config = load_set("server: {port: 7}\n" INJECTOR, settings, 1);
	assert_int_equal(config->port, 9);
	config_free(config);
	assert_int_equal(setenv("PEP_SERVER_PORT", "70000", 1), 0);
	assert_null(load_set(INJECTOR, NULL, 0));
	assert_string_equal(err.message,
			    "PEP_SERVER_PORT in the environment: \"port\" must be a whole number from 0 to 65535, not \"70000\"");
	assert_int_equal(setenv("PEP_SERVER_PORT", "", 1), 0);
	config = load(INJECTOR);
	assert_int_equal(config->port, 5151);
	config_free(config);
	assert_int_equal(unsetenv("PEP_SERVER_PORT"), 0);
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
		cmocka_unit_test(almost_nothing_is_enough),           cmocka_unit_test(the_injector_must_be_named),
		cmocka_unit_test(the_file_says_what_it_says),         cmocka_unit_test(strangers_are_refused_with_the_nearest_key),
		cmocka_unit_test(wrong_values_are_refused),           cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(settings_win_over_the_file),         cmocka_unit_test(settings_can_empty_the_exporters),
		cmocka_unit_test(settings_are_checked_like_the_file), cmocka_unit_test(the_environment_wins_over_the_port),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
