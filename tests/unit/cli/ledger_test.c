/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ledger.h"

#include "core/base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ID_A "0123456789abcdef01234567"
#define ID_B "aaaaaaaaaaaaaaaaaaaaaaaa"

static int enter_folder(void **state)
{
	char *folder = strdup("/tmp/pep-ledger-test-XXXXXX");

	*state = folder;
	return folder && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	AUTO(free_ptr) char *folder = *state;

	(void)unlink("l");
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void put(const char *text)
{
	FILE *file = fopen("l", "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod("l", 0600), 0);
}

static json_t *make_request(const char *exporter)
{
	return json_pack("{s:s, s:{s:s}}", "exporter", exporter, "fields", "profile", "portal");
}

static void none_is_of_nothing(void **state)
{
	struct ledger ledger = {.number = 9};
	struct failure err = {0};
	json_t *request = make_request("csv");

	(void)state;
	assert_int_equal(ledger_load("l", request, &ledger, &err), EXIT_OK);
	assert_true(ledger.is_whole);
	assert_int_equal(ledger.number, 0);
	assert_string_equal(ledger.cursor, "");
	json_decref(request);
}

static void what_is_saved_is_loaded(void **state)
{
	const struct ledger saved = {
		.number = 12345678901, .suffix = "tar.gz", .since = ID_A, .last = ID_B, .cursor = "", .limit = 50000};
	struct ledger ledger;
	struct failure err = {0};
	json_t *request = make_request("csv");
	struct stat status;

	(void)state;
	memset(&ledger, 0xff, sizeof(ledger));
	assert_int_equal(ledger_save("l", request, &saved, &err), EXIT_OK);
	assert_int_equal(ledger_load("l", request, &ledger, &err), EXIT_OK);
	assert_int_equal(ledger.number, saved.number);
	assert_int_equal(ledger.limit, saved.limit);
	assert_false(ledger.is_whole);
	assert_string_equal(ledger.suffix, "tar.gz");
	assert_string_equal(ledger.since, ID_A);
	assert_string_equal(ledger.last, ID_B);
	assert_string_equal(ledger.cursor, "");
	assert_int_equal(stat("l", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	json_decref(request);
}

static void another_request_is_refused(void **state)
{
	const struct ledger saved = {.number = 1};
	struct ledger ledger;
	struct failure err = {0};
	json_t *request = make_request("csv"), *other = make_request("json");

	(void)state;
	assert_int_equal(ledger_save("l", request, &saved, &err), EXIT_OK);
	assert_int_equal(ledger_load("l", other, &ledger, &err), EXIT_USAGE);
	json_decref(other);
	json_decref(request);
}

static void what_is_not_ours_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"{\"version\":2,\"number\":1,\"suffix\":\"csv\",\"whole\":true,\"since\":\"\",\"last\":\"\",\"cursor\":\"\","
		"\"limit\":0}",
		"{\"version\":1,\"number\":-1,\"suffix\":\"csv\",\"whole\":true,\"since\":\"\",\"last\":\"\",\"cursor\":\"\","
		"\"limit\":0}",
		"{\"version\":1,\"number\":1,\"suffix\":\"../"
		"x\",\"whole\":true,\"since\":\"\",\"last\":\"\",\"cursor\":\"\",\"limit\":0}",
		"{\"version\":1,\"number\":1,\"suffix\":\"csv\",\"whole\":true,\"since\":\"" ID_A
		"0\",\"last\":\"\",\"cursor\":\"\",\"limit\":0}",
		"{\"version\":1,\"number\":1,\"suffix\":\"csv\",\"whole\":true,\"since\":\"\",\"last\":\"\",\"cursor\":\"x\","
		"\"limit\":0}",
		"{\"version\":1,\"number\":1,\"suffix\":\"csv\",\"whole\":true,\"since\":\"\",\"cursor\":\"\",\"limit\":0}",
	};
	json_t *request = make_request("csv");

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ledger ledger;
		struct failure err = {0};

		put(texts[i]);
		assert_int_equal(ledger_load("l", request, &ledger, &err), EXIT_LOCAL_FILE);
	}
	json_decref(request);
}

/* Somebody else could make us miss identities. */
static void what_others_can_write_is_refused(void **state)
{
	const struct ledger saved = {.number = 1};
	struct ledger ledger;
	struct failure err = {0};
	json_t *request = make_request("csv");

	(void)state;
	assert_int_equal(ledger_save("l", request, &saved, &err), EXIT_OK);
	assert_int_equal(chmod("l", 0620), 0);
	assert_int_equal(ledger_load("l", request, &ledger, &err), EXIT_LOCAL_FILE);
	json_decref(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(none_is_of_nothing, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(what_is_saved_is_loaded, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(another_request_is_refused, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(what_is_not_ours_is_refused, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(what_others_can_write_is_refused, enter_folder, leave_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
