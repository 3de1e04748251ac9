/* SPDX-License-Identifier: Apache-2.0
 *
 * owner_test.c - which start was the one before this one, as a data folder remembers it.
 */
#include "core/service/owner.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct folder {
	char path[64], file[96];
};

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	assert_non_null(folder);
	(void)snprintf(folder->path, sizeof(folder->path), "/tmp/pep-owner-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	(void)snprintf(folder->file, sizeof(folder->file), "%s/last-start", folder->path);
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;

	(void)unlink(folder->file);
	(void)rmdir(folder->file);
	(void)rmdir(folder->path);
	free(folder);
	return 0;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void the_last_one_that_was_kept(void **state)
{
	const struct folder *folder = *state;
	char earlier[OWNER_ROOM] = "something else";
	char owner[OWNER_ROOM];
	struct pep_error err = {0};

	assert_int_equal(owner_earlier(folder->path, earlier, &err), PEP_OK);
	assert_string_equal(earlier, "");
	for (int i = 0; i < 2; i++) {
		owner_make("line-1", owner);
		assert_int_equal(owner_keep(folder->path, owner, &err), PEP_OK);
		assert_int_equal(owner_earlier(folder->path, earlier, &err), PEP_OK);
		assert_string_equal(earlier, owner);
	}
}

static void no_two_starts_are_the_same(void **state)
{
	char owners[50][OWNER_ROOM];

	(void)state;
	for (int i = 0; i < 50; i++) {
		owner_make("line-1", owners[i]);
		assert_memory_equal(owners[i], "line-1/", 7);
		/* One begins with another only if they are equal. */
		assert_int_equal(strlen(owners[i]), strlen(owners[0]));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(owners[i], owners[j]);
	}
}

static void half_a_file_names_nobody(void **state)
{
	static const char *const texts[] = {"", "\n", "line-1"};
	const struct folder *folder = *state;
	char earlier[OWNER_ROOM];
	struct pep_error err = {0};

	for (size_t i = 0; i < 3; i++) {
		write_file(folder->file, texts[i]);
		assert_int_equal(owner_earlier(folder->path, earlier, &err), PEP_OK);
		assert_string_equal(earlier, "");
	}
}

static void a_folder_that_cannot_be_used(void **state)
{
	const struct folder *folder = *state;
	char earlier[OWNER_ROOM];
	struct pep_error err = {0};

	assert_int_equal(owner_earlier("/nowhere/at/all", earlier, &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, "/nowhere/at/all/last-start cannot be read"));
	assert_int_equal(owner_keep("/nowhere/at/all", "line-1/1", &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, "cannot be written"));
	assert_int_equal(mkdir(folder->file, 0700), 0); /* in its place */
	assert_int_equal(owner_earlier(folder->path, earlier, &err), PEP_UNAVAILABLE);
	assert_int_equal(owner_keep(folder->path, "line-1/1", &err), PEP_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_last_one_that_was_kept, make_folder, remove_folder),
		cmocka_unit_test(no_two_starts_are_the_same),
		cmocka_unit_test_setup_teardown(half_a_file_names_nobody, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_used, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
