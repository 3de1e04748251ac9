/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_server(const char *given, const char *server, const char *shown)
{
	struct settings settings = {0};
	struct failure failure = {0};

	assert_int_equal(settings_load(given, NULL, &settings, &failure), EXIT_OK);
	assert_string_equal(settings.server, server);
	assert_string_equal(settings.shown, shown);
	settings_fini(&settings);
}

static void assert_refused(const char *server_url, const char *timeout, const char *name)
{
	struct settings settings = {0};
	struct failure failure = {0};

	if (settings_load(server_url, timeout, &settings, &failure) != EXIT_CONFIGURATION)
		fail_msg("taken: %s %s", server_url ? server_url : "-", timeout ? timeout : "-");
	assert_int_equal(failure.exit_code, EXIT_CONFIGURATION);
	assert_non_null(strstr(failure.message, name));
	assert_null(settings.server);
}

static void good_addresses(void **state)
{
	(void)state;
	assert_server(NULL, "http://localhost:5151", "http://localhost:5151");
	assert_server("", "http://localhost:5151", "http://localhost:5151");
	assert_server("http://127.0.0.1:5151", "http://127.0.0.1:5151", "http://127.0.0.1:5151");
	assert_server("http://127.0.0.1:5151/", "http://127.0.0.1:5151", "http://127.0.0.1:5151");
	assert_server("https://pep.example", "https://pep.example", "https://pep.example");
	assert_server("http://[::1]:80/", "http://[::1]:80", "http://[::1]:80");
	assert_server("https://pep.example/line/4/", "https://pep.example/line/4", "https://pep.example/line/4");
}

static void a_password_is_used_and_not_shown(void **state)
{
	(void)state;
	assert_server("https://me:secret@pep.example/", "https://me:secret@pep.example", "https://pep.example");
}

static void bad_addresses(void **state)
{
	static const char *const addresses[] = {"not a url",          "ftp://127.0.0.1", "http://",    "http://127.0.0.1:99999",
						"http://127.0.0.1:0", "localhost:5151",  "127.0.0.1",  "http://a b/",
						"http://h/?x=1",      "http://h/?",      "http://h/#", "file:///etc/passwd",
						"http://h:port/",     "http://h\n/"};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_refused(addresses[i], NULL, "PEP_SERVER_URL");
}

static void assert_timeout(const char *given, int64_t timeout_ms)
{
	struct settings settings = {0};
	struct failure failure = {0};

	assert_int_equal(settings_load(NULL, given, &settings, &failure), EXIT_OK);
	assert_int_equal(settings.timeout_ms, timeout_ms);
	settings_fini(&settings);
}

static void timeouts(void **state)
{
	static const char *const bad[] = {
		"", "0", "-1", "+1", " 1", "1 ", "1.5", "1s", "soon", "3601", "9999", "99999999999999999999", "01"};

	(void)state;
	assert_timeout(NULL, 120000);
	assert_timeout("1", 1000);
	assert_timeout("3600", 3600000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(NULL, bad[i], "PEP_TIMEOUT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_addresses),
		cmocka_unit_test(a_password_is_used_and_not_shown),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(timeouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
