/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/part.h"

#include "core/base/cleanup.h"

#include <dirent.h>
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

static int enter_folder(void **state)
{
	char *folder = strdup("/tmp/pep-part-test-XXXXXX");

	*state = folder;
	return folder && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	AUTO(free_ptr) char *folder = *state;
	DIR *entries = opendir(".");
	const struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (entry->d_name[0] != '.')
			(void)remove(entry->d_name);
	if (entries)
		(void)closedir(entries);
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *path, const char *expected)
{
	char text[256] = "";
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	(void)fclose(file);
	assert_string_equal(text, expected);
}

static bool is_there(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

/* A complete part of that content; it is kept. */
static void make_part(int64_t number, const char *text)
{
	struct part part = {.fd = -1};
	struct failure err = {0};

	assert_int_equal(part_begin(".", "csv", number, &part, &err), EXIT_OK);
	assert_int_equal(part_write(&part, text, strlen(text), &err), EXIT_OK);
	assert_int_equal(part.size, strlen(text));
	assert_int_equal(part_complete(&part, ".", &err), EXIT_OK);
	part.is_kept = true;
	part_drop(&part);
}

static void a_part_gets_its_name(void **state)
{
	struct failure err = {0};

	(void)state;
	make_part(7, "a\r\n");
	assert_content("csv-0007.part", "a\r\n");
	assert_int_equal(part_publish(".", "csv", 7, "tar.gz", &err), EXIT_OK);
	assert_content("csv-0007.tar.gz", "a\r\n");
	assert_false(is_there("csv-0007.part"));
	/* It has its name already, or was moved away since. */
	assert_int_equal(part_publish(".", "csv", 7, "tar.gz", &err), EXIT_OK);
	assert_int_equal(unlink("csv-0007.tar.gz"), 0);
	assert_int_equal(part_publish(".", "csv", 7, "tar.gz", &err), EXIT_OK);
	make_part(12345, "b");
	assert_int_equal(part_publish(".", "csv", 12345, "", &err), EXIT_OK);
	assert_content("csv-12345", "b");
}

static void nothing_is_overwritten(void **state)
{
	struct failure err = {0};

	(void)state;
	put("csv-0001.csv", "mine");
	make_part(1, "new");
	assert_int_equal(part_publish(".", "csv", 1, "csv", &err), EXIT_LOCAL_FILE);
	assert_non_null(strstr(err.message, "csv-0001.csv"));
	assert_content("csv-0001.csv", "mine");
	assert_content("csv-0001.part", "new");
}

static void what_was_left_is_replaced(void **state)
{
	(void)state;
	put("elsewhere", "mine");
	assert_int_equal(symlink("elsewhere", "csv-0001.part"), 0);
	make_part(1, "new");
	assert_content("elsewhere", "mine");
	assert_content("csv-0001.part", "new");
	make_part(1, "n");
	assert_content("csv-0001.part", "n");
}

static void what_is_not_kept_goes(void **state)
{
	struct part part = {.fd = -1};
	struct failure err = {0};

	(void)state;
	part_drop(&part);
	assert_int_equal(part_begin(".", "csv", 1, &part, &err), EXIT_OK);
	part_drop(&part);
	assert_false(is_there("csv-0001.part"));
	assert_int_equal(part_begin(".", "csv", 1, &part, &err), EXIT_OK);
	assert_int_equal(part_complete(&part, ".", &err), EXIT_OK);
	part_drop(&part);
	assert_false(is_there("csv-0001.part"));
}

static void a_small_file_is_replaced(void **state)
{
	struct failure err = {0};
	struct stat status;

	(void)state;
	put("csv.state.part", "left");
	assert_int_equal(part_save("csv.state", "a", 1, &err), EXIT_OK);
	assert_int_equal(part_save("csv.state", "bb", 2, &err), EXIT_OK);
	assert_content("csv.state", "bb");
	assert_int_equal(stat("csv.state", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_false(is_there("csv.state.part"));
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(part_save("folder", "a", 1, &err), EXIT_LOCAL_FILE);
	assert_false(is_there("folder.part"));
	assert_int_equal(part_save("no/such", "a", 1, &err), EXIT_LOCAL_FILE);
}

static void no_folder(void **state)
{
	struct part part = {.fd = -1};
	struct failure err = {0};

	(void)state;
	assert_int_equal(part_begin("no/such", "csv", 1, &part, &err), EXIT_LOCAL_FILE);
	assert_non_null(strstr(err.message, "no/such/csv-0001.part"));
	part_drop(&part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_part_gets_its_name, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(nothing_is_overwritten, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(what_was_left_is_replaced, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(what_is_not_kept_goes, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(a_small_file_is_replaced, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(no_folder, enter_folder, leave_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
