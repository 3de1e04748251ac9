/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sqlite plugin does not open, and what it says then.
 */
#include "plugin_table.h"
#include "plugins/storage/sqlite/place.h"
#include "sqlite_place.h"

#include <errno.h>
#include <fcntl.h>
#include <pep/storage.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534u

struct world {
	char folder[SQLITE_PLACE_SIZE], path[SQLITE_PLACE_SIZE + 32];
	const struct pep_storage_ops *ops;
	struct pep_host host;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return -1;
	sqlite_place_init(world->folder);
	(void)snprintf(world->path, sizeof(world->path), "%s/pep.db", world->folder);
	world->ops = plugin_table_load(PEP_TEST_PLUGIN_DIR "/sqlite.so", PEP_STORAGE)->ops;
	world->host = plugin_table_host();
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	sqlite_place_fini(world->folder);
	free(world);
	return 0;
}

static pep_status open_store(const struct world *world, const char *path, void **ret_store, struct pep_error *err)
{
	union pep_value values[SQLITE_OPTION_COUNT];

	sqlite_place_values(path, values);
	return world->ops->open(&world->host, values, ret_store, err);
}

static void make_store(const struct world *world)
{
	const struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_CLAIMED, .serial = "kept"};
	struct pep_error err = {0};
	void *store;

	assert_int_equal(open_store(world, world->path, &store, &err), PEP_OK);
	assert_int_equal(world->ops->insert(store, &id, &err), PEP_OK);
	world->ops->close(store);
}

/* It names the file, and says `why` and what to do, in one line. */
static void expect_refusal(const struct world *world, const char *path, pep_status status, const char *why, const char *advice)
{
	struct pep_error err = {0};
	void *store = NULL;

	assert_int_equal(open_store(world, path, &store, &err), status);
	assert_null(store);
	assert_int_equal(err.status, status);
	if (!strstr(err.message, "pep.db") || !strstr(err.message, why) || !strstr(err.message, advice) ||
	    strchr(err.message, '\n'))
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err.message, why, advice);
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void no_folder(void **state)
{
	const struct world *world = *state;
	char path[SQLITE_PLACE_SIZE + 64];

	(void)snprintf(path, sizeof(path), "%s/missing/pep.db", world->folder);
	expect_refusal(world, path, PEP_INVALID, "No such file or directory", "create the folder");
	make_store(world);
	(void)snprintf(path, sizeof(path), "%s/below/pep.db", world->path);
	expect_refusal(world, path, PEP_INVALID, "Not a directory", "correct storage.path");
}

static void a_folder_instead_of_a_file(void **state)
{
	const struct world *world = *state;

	assert_int_equal(mkdir(world->path, 0700), 0);
	expect_refusal(world, world->path, PEP_INVALID, "Is a directory", "correct storage.path");
}

static void a_link_to_nothing(void **state)
{
	const struct world *world = *state;

	assert_int_equal(symlink("missing/x.db", world->path), 0);
	expect_refusal(world, world->path, PEP_INVALID, "symbolic links", "correct storage.path");
}

/* Root may write everywhere, so this runs as somebody else; in a child, which reports by its exit status. */
static void expect_refusal_for_nobody(struct world *world, const char *why)
{
	pid_t pid = fork();
	struct pep_error err = {0};
	void *store;
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setegid(NOBODY) != 0 || seteuid(NOBODY) != 0))
			_exit(2);
		if (open_store(world, world->path, &store, &err) != PEP_INVALID)
			_exit(3);
		_exit(strstr(err.message, why) && strstr(err.message, "let the server's user") ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_folder_that_cannot_be_written(void **state)
{
	struct world *world = *state;

	assert_int_equal(chmod(world->folder, 0555), 0);
	expect_refusal_for_nobody(world, "Permission denied");
	assert_int_equal(chmod(world->folder, 0700), 0);
}

static void a_file_that_cannot_be_written(void **state)
{
	struct world *world = *state;
	char lock[SQLITE_PLACE_SIZE + 64];

	make_store(world);
	(void)snprintf(lock, sizeof(lock), "%s.lock", world->path);
	assert_int_equal(chmod(world->folder, 0777), 0);
	assert_int_equal(chmod(lock, 0666), 0);
	assert_int_equal(chmod(world->path, 0444), 0);
	expect_refusal_for_nobody(world, "Permission denied");
}

static void a_text_file(void **state)
{
	const struct world *world = *state;
	FILE *file = fopen(world->path, "w");

	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		assert_true(fputs("this is a diary\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	expect_refusal(world, world->path, PEP_INVALID, "not a database", "correct storage.path");
}

static void another_programs_file(void **state)
{
	const struct world *world = *state;

	run_sql(world->path, "CREATE TABLE diary (day TEXT)");
	expect_refusal(world, world->path, PEP_INVALID, "another program", "correct storage.path");
}

static void a_newer_versions_file(void **state)
{
	const struct world *world = *state;

	make_store(world);
	run_sql(world->path, "PRAGMA user_version = 999");
	expect_refusal(world, world->path, PEP_INVALID, "schema 999", "use that version");
}

static void a_lost_index(void **state)
{
	const struct world *world = *state;

	make_store(world);
	run_sql(world->path, "DROP INDEX identity_dispatch");
	expect_refusal(world, world->path, PEP_INTERNAL, "unique index", "restore the last backup");
}

/* One byte that changes in the middle of each page but the first. */
static void a_damaged_file(void **state)
{
	const struct world *world = *state;
	struct stat info;
	int fd;

	make_store(world);
	fd = open(world->path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &info), 0);
	for (off_t at = 4096; at < info.st_size; at += 4096)
		assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, at), 8);
	assert_int_equal(close(fd), 0);
	expect_refusal(world, world->path, PEP_INTERNAL, "damaged", "restore the last backup");
}

static void a_cut_file(void **state)
{
	const struct world *world = *state;

	make_store(world);
	assert_int_equal(truncate(world->path, 12288), 0);
	expect_refusal(world, world->path, PEP_INTERNAL, "", "restore the last backup");
}

static void a_second_server(void **state)
{
	const struct world *world = *state;
	char other[SQLITE_PLACE_SIZE + 32], number[32];
	struct pep_error err = {0};
	void *store;
	pid_t pid;
	int status;

	assert_int_equal(open_store(world, world->path, &store, &err), PEP_OK);
	(void)snprintf(number, sizeof(number), "process %ld", (long)getpid());
	expect_refusal(world, world->path, PEP_CONFLICT, number, "stop that one");
	/* By another name. */
	(void)snprintf(other, sizeof(other), "%s/link-to-pep.db", world->folder);
	assert_int_equal(symlink("pep.db", other), 0);
	expect_refusal(world, other, PEP_CONFLICT, number, "stop that one");
	/* From another process. */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		void *second;

		_exit(open_store(world, world->path, &second, &err) == PEP_CONFLICT ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* What was refused has not hurt the first one, and the lock ends with it. */
	assert_int_equal(world->ops->ping(store, &err), PEP_OK);
	world->ops->close(store);
	make_store(world);
}

static void network_file_systems(void **state)
{
	static const unsigned long remote[] = {0x6969, 0xff534d42, 0xfe534d42, 0x01021997, 0x65735546, 0x00c36400};
	static const unsigned long local[] = {0xef53 /* ext4 */,      0x58465342 /* xfs */,     0x01021994 /* tmpfs */,
					      0x9123683e /* btrfs */, 0x794c7630 /* overlay */, 0x2fc12fc1 /* zfs */};

	(void)state;
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		assert_non_null(place_remote_name(remote[i]));
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		assert_null(place_remote_name(local[i]));
}

/* Nothing of a refused start is left behind, so that the corrected one works. */
static void the_next_start_works(void **state)
{
	const struct world *world = *state;
	char log[SQLITE_PLACE_SIZE + 64];
	struct pep_error err = {0};
	struct stat info;
	void *store;

	make_store(world);
	run_sql(world->path, "PRAGMA user_version = 999");
	expect_refusal(world, world->path, PEP_INVALID, "newer", "");
	run_sql(world->path, "PRAGMA user_version = 2");
	assert_int_equal(open_store(world, world->path, &store, &err), PEP_OK);
	world->ops->close(store);
	/* Nobody else reads the records, and an orderly stop leaves one file to copy. */
	assert_int_equal(stat(world->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	(void)snprintf(log, sizeof(log), "%s-wal", world->path);
	assert_int_equal(stat(log, &info), -1);
	assert_int_equal(errno, ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_folder),
		TEST(a_folder_instead_of_a_file),
		TEST(a_link_to_nothing),
		TEST(a_folder_that_cannot_be_written),
		TEST(a_file_that_cannot_be_written),
		TEST(a_text_file),
		TEST(another_programs_file),
		TEST(a_newer_versions_file),
		TEST(a_lost_index),
		TEST(a_damaged_file),
		TEST(a_cut_file),
		TEST(a_second_server),
		TEST(network_file_systems),
		TEST(the_next_start_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
