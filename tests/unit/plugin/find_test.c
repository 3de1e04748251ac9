/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/pep-find-XXXXXX";
static char path[64];
static struct pep_error err;

static const char *file_path(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void make_file(const char *name, mode_t mode)
{
	int fd = open(file_path(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void assert_refused(const char *name, const char *message)
{
	int fd = -7;

	err = (struct pep_error){0};
	assert_int_not_equal(find_open(folder, name, &fd, &err), PEP_OK);
	assert_int_equal(fd, -7);
	if (!strstr(err.message, message))
		fail_msg("\"%s\" is not in \"%s\"", message, err.message);
	assert_null(strchr(err.message, '\n'));
}

static void a_file_of_ours_is_opened(void **state)
{
	int fd = -1;

	(void)state;
	make_file("good.so", 0644);
	if (find_open(folder, "good", &fd, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(close(fd), 0);
}

static void a_name_never_leads_out(void **state)
{
	(void)state;
	make_file("A.so", 0644);
	assert_refused("A", "a plugin's name is 1 to 32");
	assert_refused("../find", "a plugin's name is 1 to 32");
	assert_refused("a/b", "a plugin's name is 1 to 32");
	assert_refused("", "a plugin's name is 1 to 32");
	assert_refused("absent", "no plugin \"absent\": there is no /tmp/pep-find-");
}

static void what_others_could_change_is_refused(void **state)
{
	(void)state;
	make_file("plugin.so", 0664);
	assert_refused("plugin", "can be written by others than its owner; run: chmod go-w /tmp/pep-find-");
	assert_int_equal(chmod(path, 0646), 0);
	assert_refused("plugin", "can be written by others");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chmod(folder, 0775), 0);
	assert_refused("plugin", "can be written by others");
	assert_int_equal(chmod(folder, 0777 | S_ISVTX), 0);
	assert_refused("plugin", "can be written by others");
}

static void what_belongs_to_others_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	make_file("plugin.so", 0644);
	assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
	assert_refused("plugin", "belongs to user 12345, not to root or to the server's user");
	assert_int_equal(chown(path, 0, (gid_t)-1), 0);
	assert_int_equal(chown(folder, 12345, (gid_t)-1), 0);
	assert_refused("plugin", "belongs to user 12345");
}

static void only_regular_files_are_taken(void **state)
{
	(void)state;
	make_file("real.so", 0644);
	assert_int_equal(symlink("real.so", file_path("link.so")), 0);
	assert_refused("link", "is a symbolic link");
	assert_int_equal(symlink("nowhere.so", file_path("dangling.so")), 0);
	assert_refused("dangling", "is a symbolic link");
	assert_int_equal(mkfifo(file_path("fifo.so"), 0644), 0);
	assert_refused("fifo", "is not a regular file"); /* and nobody waits for a writer */
	assert_int_equal(mkdir(file_path("folder.so"), 0755), 0);
	assert_refused("folder", "is not a regular file");
}

static void a_missing_folder_is_named(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(find_open("/nowhere/at/all", "csv", &fd, &err), PEP_NOT_FOUND);
	assert_string_equal(err.message,
			    "plugin folder /nowhere/at/all cannot be opened: No such file or directory; set server.plugin_dir");
}

static void all_names_are_listed_in_order(void **state)
{
	char **names;
	size_t count;

	(void)state;
	make_file("b.so", 0644);
	make_file("a.so", 0644);
	make_file("README.md", 0644);
	make_file(".so", 0644);
	make_file("Bad.so", 0644);
	assert_int_equal(find_all(folder, &names, &count, &err), PEP_OK);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "a");
	assert_string_equal(names[1], "b");
	find_free(names, count);
	assert_int_equal(find_all("/nowhere/at/all", &names, &count, &err), PEP_NOT_FOUND);
}

static int begin(void **state)
{
	(void)state;
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	return mkdtemp(folder) && chmod(folder, 0755) == 0 ? 0 : -1;
}

static int end(void **state)
{
	static const char *const files[] = {"good.so", "A.so", "plugin.so", "link.so", "dangling.so", "fifo.so",
					    "real.so", "b.so", "a.so",      ".so",     "README.md",   "Bad.so"};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(file_path(files[i]));
	(void)rmdir(file_path("folder.so"));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_of_ours_is_opened, begin, end),
		cmocka_unit_test_setup_teardown(a_name_never_leads_out, begin, end),
		cmocka_unit_test_setup_teardown(what_others_could_change_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(what_belongs_to_others_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(only_regular_files_are_taken, begin, end),
		cmocka_unit_test_setup_teardown(a_missing_folder_is_named, begin, end),
		cmocka_unit_test_setup_teardown(all_names_are_listed_in_order, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
