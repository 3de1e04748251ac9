/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pending.h"

#include "core/base/cleanup.h"

#include <ftw.h>
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

#define STATE_FOLDER "a/b/pep"

static int enter_folder(void **state)
{
	char *folder = strdup("/tmp/pep-pending-test-XXXXXX");

	*state = folder;
	return folder && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *position)
{
	(void)status;
	(void)type;
	(void)position;
	return remove(path);
}

static int leave_folder(void **state)
{
	AUTO(free_ptr) char *folder = *state;

	return chdir("/") == 0 ? nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static struct pending *open_one(const char *state_folder, const char *serial, bool with_key)
{
	struct pending_name name = {.folder = ".", .server = "http://h", .serial = serial, .with_key = with_key};
	struct failure failure = {0};
	struct pending *pending = NULL;

	assert_int_equal(pending_open(state_folder, &name, &pending, &failure), EXIT_OK);
	return pending;
}

/* Opens, saves with one field, and returns the Idempotency-Key. */
static void save_one(const char *state_folder, const char *serial, const char *value, char ret_key[33])
{
	struct pending *pending = open_one(state_folder, serial, false);
	struct failure failure = {0};
	json_t *fields = json_pack("{ss}", "category", value);

	assert_int_equal(pending_save(pending, fields, NULL, &failure), EXIT_OK);
	assert_int_equal(strlen(pending_idempotency_key(pending)), 32);
	(void)snprintf(ret_key, 33, "%s", pending_idempotency_key(pending));
	json_decref(fields);
	pending_close(&pending);
}

static void the_same_fields_keep_the_key(void **state)
{
	char first[33], second[33], other[33], elsewhere[33];

	(void)state;
	save_one(STATE_FOLDER, "S", "x", first);
	save_one(STATE_FOLDER, "S", "x", second);
	save_one(STATE_FOLDER, "T", "x", elsewhere);
	save_one(STATE_FOLDER, "S", "y", other);
	assert_string_equal(first, second);
	assert_string_not_equal(first, other);
	assert_string_not_equal(first, elsewhere);
	save_one(STATE_FOLDER, "T", "x", second);
	assert_string_equal(elsewhere, second);
}

static void it_is_gone_when_removed(void **state)
{
	char first[33], second[33];
	struct pending *pending;

	(void)state;
	save_one(STATE_FOLDER, "S", "x", first);
	pending = open_one(STATE_FOLDER, "S", false);
	assert_true(pending_was_there(pending));
	pending_remove(pending);
	pending_close(&pending);
	pending = open_one(STATE_FOLDER, "S", false);
	assert_false(pending_was_there(pending));
	pending_close(&pending);
	save_one(STATE_FOLDER, "S", "x", second);
	assert_string_not_equal(first, second);
}

static void without_a_state_folder_it_is_beside(void **state)
{
	char first[33], second[33];
	struct stat status;
	struct pending *pending;

	(void)state;
	save_one(NULL, "S", "x", first);
	assert_int_equal(stat(".identity.json.pending", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	/* Found there too when the state folder works again. */
	save_one(STATE_FOLDER, "S", "x", second);
	assert_string_equal(first, second);
	pending = open_one(STATE_FOLDER, "S", false);
	pending_remove(pending);
	pending_close(&pending);
	assert_int_equal(stat(".identity.json.pending", &status), -1);
}

static void a_state_folder_that_is_a_file(void **state)
{
	char key[33];
	struct stat status;
	FILE *file = fopen("file", "we");

	(void)state;
	assert_non_null(file);
	(void)fclose(file);
	save_one("file/pep", "S", "x", key);
	assert_int_equal(stat(".identity.json.pending", &status), 0);
}

static void keys_of_others_are_found(void **state)
{
	struct pending *mine = open_one(STATE_FOLDER, "S", true), *other = open_one(STATE_FOLDER, "T", true);
	struct failure failure = {0};
	json_t *fields = json_object();
	char *path, key[33];

	(void)state;
	save_one(STATE_FOLDER, "U", "x", key); /* without a verification key: no matter */
	assert_null(pending_other_with_key(mine));
	assert_int_equal(pending_save(mine, fields, "mine", &failure), EXIT_OK);
	assert_string_equal(pending_verification_key(mine), "mine");
	assert_null(pending_other_with_key(mine));
	assert_int_equal(pending_save(other, fields, "other", &failure), EXIT_OK);
	path = pending_other_with_key(mine);
	assert_non_null(path);
	assert_int_equal(unlink(path), 0);
	free(path);
	assert_null(pending_other_with_key(mine));
	json_decref(fields);
	pending_close(&mine);
	pending_close(&other);
	mine = open_one(STATE_FOLDER, "S", true);
	assert_string_equal(pending_verification_key(mine), "mine");
	pending_close(&mine);
	mine = open_one(STATE_FOLDER, "S", false);
	assert_null(pending_verification_key(mine));
	pending_close(&mine);
}

static void a_note_that_is_damaged_stops_everything(void **state)
{
	struct pending_name name = {.folder = ".", .server = "http://h", .serial = "S"};
	struct failure failure = {0};
	struct pending *pending = NULL;
	char key[33];
	FILE *file;

	(void)state;
	save_one(NULL, "S", "x", key);
	file = fopen(".identity.json.pending", "we");
	assert_non_null(file);
	assert_true(fputs("{\"request\":", file) >= 0);
	(void)fclose(file);
	assert_int_equal(pending_open(NULL, &name, &pending, &failure), EXIT_LOCAL_FILE);
	assert_non_null(strstr(failure.message, ".identity.json.pending"));
	assert_null(pending);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_fields_keep_the_key, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(it_is_gone_when_removed, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(without_a_state_folder_it_is_beside, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(a_state_folder_that_is_a_file, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(keys_of_others_are_found, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(a_note_that_is_damaged_stops_everything, enter_folder, leave_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
