/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/file.h"

#include "core/base/cleanup.h"

#include <dirent.h>
#include <errno.h>
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

/* Every test has a folder of its own and stands in it. */
static int enter_folder(void **state)
{
	char *folder = strdup("/tmp/pep-file-test-XXXXXX");

	*state = folder;
	return folder && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	AUTO(free_ptr) char *folder = *state;
	DIR *entries = opendir(".");
	const struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
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

static size_t count_entries(void)
{
	DIR *entries = opendir(".");
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(entries);
	while ((entry = readdir(entries)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(entries);
	return count;
}

static struct file *begin(const char *path, const char *text)
{
	struct failure failure = {0};
	struct file *file = NULL;

	assert_int_equal(file_begin(path, 0666, &file, &failure), EXIT_OK);
	assert_int_equal(file_write(file, text, strlen(text), &failure), EXIT_OK);
	return file;
}

static void a_new_file_appears_whole(void **state)
{
	struct failure failure = {0};
	struct file *file = begin("new", "content");
	struct stat status;

	(void)state;
	assert_int_equal(access("new", F_OK), -1);
	assert_int_equal(file_swap(&file, 1, &failure), EXIT_OK);
	assert_content("new", "content");
	file_keep(&file, 1);
	file_drop(&file);
	assert_int_equal(count_entries(), 1);
	assert_int_equal(stat("new", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0666 & ~umask(022));
}

static void a_dropped_file_leaves_nothing(void **state)
{
	struct file *file = begin("new", "content");

	(void)state;
	assert_int_equal(count_entries(), 1);
	file_drop(&file);
	assert_null(file);
	assert_int_equal(count_entries(), 0);
	file_drop(&file);
}

static void an_old_file_is_replaced_and_keeps_its_mode(void **state)
{
	struct failure failure = {0};
	struct file *file;
	struct stat status;

	(void)state;
	put("old", "before");
	assert_int_equal(chmod("old", 0640), 0);
	file = begin("old", "after");
	assert_content("old", "before");
	assert_int_equal(file_swap(&file, 1, &failure), EXIT_OK);
	file_keep(&file, 1);
	file_drop(&file);
	assert_content("old", "after");
	assert_int_equal(count_entries(), 1);
	assert_int_equal(stat("old", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
}

static void undo_gives_everything_back(void **state)
{
	struct failure failure = {0};
	struct file *files[2];

	(void)state;
	put("old", "before");
	files[0] = begin("old", "after");
	files[1] = begin("new", "after");
	assert_int_equal(file_swap(files, 2, &failure), EXIT_OK);
	assert_content("old", "after");
	assert_content("new", "after");
	file_undo(files, 2);
	assert_content("old", "before");
	file_drop(&files[0]);
	file_drop(&files[1]);
	assert_int_equal(count_entries(), 1);
}

static void both_or_none(void **state)
{
	struct failure failure = {0};
	struct file *files[2];

	(void)state;
	put("old", "before");
	files[0] = begin("old", "after");
	files[1] = begin("new", "after");
	/* A folder comes between: the second cannot take its place. */
	assert_int_equal(mkdir("new", 0755), 0);
	assert_int_equal(file_swap(files, 2, &failure), EXIT_LOCAL_FILE);
	assert_non_null(strstr(failure.message, "new"));
	assert_content("old", "before");
	file_drop(&files[0]);
	file_drop(&files[1]);
	assert_int_equal(count_entries(), 2);
}

static void what_cannot_be_replaced_is_refused(void **state)
{
	struct failure failure = {0};

	(void)state;
	assert_int_equal(mkdir("folder", 0755), 0);
	assert_int_equal(mkfifo("pipe", 0644), 0);
	assert_int_equal(file_check("folder", &failure), EXIT_LOCAL_FILE);
	assert_int_equal(file_check("pipe", &failure), EXIT_LOCAL_FILE);
	assert_int_equal(file_check("no/such/folder", &failure), EXIT_LOCAL_FILE);
	assert_int_equal(file_check("/dev/null", &failure), EXIT_LOCAL_FILE);
	assert_int_equal(file_check("fine", &failure), EXIT_OK);
	assert_int_equal(count_entries(), 2);
}

static void a_link_is_followed(void **state)
{
	struct failure failure = {0};
	struct file *file;
	struct stat status;

	(void)state;
	put("real", "before");
	assert_int_equal(symlink("real", "link"), 0);
	file = begin("link", "after");
	assert_int_equal(file_swap(&file, 1, &failure), EXIT_OK);
	file_keep(&file, 1);
	file_drop(&file);
	assert_content("real", "after");
	assert_int_equal(lstat("link", &status), 0);
	assert_true(S_ISLNK(status.st_mode));
}

static void a_private_file(void **state)
{
	struct failure failure = {0};
	struct stat status;
	char *data = NULL;
	size_t size = 0;

	(void)state;
	put("note", "readable by all before");
	assert_int_equal(file_save_private("note", "secret", 6, &failure), EXIT_OK);
	assert_int_equal(stat("note", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(file_load_private("note", 100, &data, &size), 0);
	assert_string_equal(data, "secret");
	assert_int_equal(size, 6);
	free(data);
	assert_int_equal(count_entries(), 1);
}

static void a_file_of_others_is_not_trusted(void **state)
{
	char *data = NULL;
	size_t size = 0;

	(void)state;
	put("note", "planted");
	assert_int_equal(file_load_private("absent", 100, &data, &size), ENOENT);
	assert_int_equal(file_load_private("note", 3, &data, &size), EPERM);
	assert_int_equal(chmod("note", 0666), 0);
	assert_int_equal(file_load_private("note", 100, &data, &size), EPERM);
	assert_int_equal(symlink("note", "link"), 0);
	assert_int_equal(file_load_private("link", 100, &data, &size), ELOOP);
	assert_null(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_new_file_appears_whole, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(a_dropped_file_leaves_nothing, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(an_old_file_is_replaced_and_keeps_its_mode, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(undo_gives_everything_back, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(both_or_none, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(what_cannot_be_replaced_is_refused, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(a_link_is_followed, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(a_private_file, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(a_file_of_others_is_not_trusted, enter_folder, leave_folder),
	};

	(void)umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
