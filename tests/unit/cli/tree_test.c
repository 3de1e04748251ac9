/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders that are removed and moved, and what stays outside of them.
 */
#include "cli/provision/tree.h"

#include <fcntl.h>
#include <stdbool.h>
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

/* A new folder, which the test is in from then on. */
static int enter(void **state)
{
	char *top = strdup("/tmp/pep-tree-test-XXXXXX");

	*state = top;
	return top && mkdtemp(top) && chdir(top) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	struct spot spot = {0};
	struct failure failure = {0};
	bool was_there;
	int failed = !spot_make("/tmp", strrchr(*state, '/') + 1, &spot) || tree_remove(&spot, &was_there, &failure) != EXIT_OK;

	spot_fini(&spot);
	free(*state);
	return failed;
}

static void put(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static bool is_there(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static struct spot spot_of(void **state, const char *rel)
{
	struct spot spot = {0};

	assert_true(spot_make(*state, rel, &spot));
	return spot;
}

static void what_is_no_place_is_refused(void **state)
{
	static const char *const bad[] = {"", "/", "//", ".", "..", "a/..", "../a", "a/./b", "/a/../../b"};
	struct spot spot;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(spot_make(*state, bad[i], &spot));
	assert_true(spot_make(*state, "//a///b/", &spot));
	assert_string_equal(spot.rel, "a/b");
	spot_fini(&spot);
}

static void a_folder_goes_with_all_that_is_in_it(void **state)
{
	struct spot spot = spot_of(state, "a/b");
	struct failure failure = {0};
	bool was_there = true;

	assert_int_equal(tree_remove(&spot, &was_there, &failure), EXIT_OK);
	assert_false(was_there);
	assert_int_equal(tree_make(&spot, &failure), EXIT_OK);
	assert_int_equal(mkdir("a/b/c", 0700), 0);
	put("a/b/c/file");
	put("outside");
	assert_int_equal(symlink("../../../outside", "a/b/c/link"), 0);
	/* Left by a run that was killed. */
	assert_int_equal(mkdir("a/.b.pep-gone", 0700), 0);
	put("a/.b.pep-gone/file");
	assert_int_equal(tree_check(&spot, &failure), EXIT_OK);
	assert_int_equal(tree_remove(&spot, &was_there, &failure), EXIT_OK);
	assert_true(was_there);
	assert_false(is_there("a/b") || is_there("a/.b.pep-gone"));
	assert_true(is_there("outside"));
	spot_fini(&spot);
}

static void links_are_never_followed(void **state)
{
	struct spot spot = spot_of(state, "a/b");
	struct failure failure = {0};
	bool was_there;

	assert_int_equal(mkdir("elsewhere", 0700), 0);
	assert_int_equal(mkdir("elsewhere/b", 0700), 0);
	put("elsewhere/b/file");
	assert_int_equal(symlink("elsewhere", "a"), 0);
	assert_int_equal(tree_check(&spot, &failure), EXIT_LOCAL_FILE);
	assert_int_equal(tree_remove(&spot, &was_there, &failure), EXIT_LOCAL_FILE);
	assert_int_equal(tree_make(&spot, &failure), EXIT_LOCAL_FILE);
	assert_false(tree_is_filled(&spot, NULL));
	assert_int_equal(unlink("a"), 0);
	assert_int_equal(mkdir("a", 0700), 0);
	assert_int_equal(symlink("../elsewhere/b", "a/b"), 0);
	assert_int_equal(tree_check(&spot, &failure), EXIT_LOCAL_FILE);
	assert_int_equal(tree_remove(&spot, &was_there, &failure), EXIT_LOCAL_FILE);
	assert_non_null(strstr(failure.message, "symbolic link"));
	assert_true(is_there("elsewhere/b/file"));
	spot_fini(&spot);
}

static void what_is_moved_takes_the_place(void **state)
{
	struct spot from = spot_of(state, "pal"), to = spot_of(state, "x/store");
	struct failure failure = {0};

	assert_int_equal(tree_make(&to, &failure), EXIT_OK);
	put("x/store/old");
	assert_int_equal(tree_move(&from, &to, &failure), EXIT_LOCAL_FILE);
	assert_true(is_there("x/store/old"));
	assert_int_equal(tree_make(&from, &failure), EXIT_OK);
	assert_false(tree_is_filled(&from, NULL));
	assert_int_equal(mkdir("pal/WORKING", 0700), 0);
	assert_true(tree_is_filled(&from, "WORKING"));
	assert_int_equal(tree_move(&from, &to, &failure), EXIT_OK);
	assert_true(is_there("x/store/WORKING"));
	assert_false(is_there("x/store/old") || is_there("pal"));
	spot_fini(&from);
	spot_fini(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_no_place_is_refused, enter, leave),
		cmocka_unit_test_setup_teardown(a_folder_goes_with_all_that_is_in_it, enter, leave),
		cmocka_unit_test_setup_teardown(links_are_never_followed, enter, leave),
		cmocka_unit_test_setup_teardown(what_is_moved_takes_the_place, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
