/* SPDX-License-Identifier: Apache-2.0
 *
 * Disks that fail under the sqlite plugin, and what it answers meanwhile.
 *
 * fdatasync() and pwrite64() of this program stand before those of the C library, for SQLite, too: that is how the disk fails.
 */
#include "sqlite_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* At file scope because the functions below have no other way to know. */
static atomic_int sync_errno, write_errno;
static atomic_uint sync_count;

int fdatasync(int fildes)
{
	int cause = atomic_load(&sync_errno);

	(void)atomic_fetch_add(&sync_count, 1);
	if (cause) {
		errno = cause;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fildes);
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t offset)
{
	int cause = atomic_load(&write_errno);

	if (cause) {
		errno = cause;
		return -1;
	}
	return (ssize_t)syscall(SYS_pwrite64, fd, buf, n, offset);
}

static int set_up(void **state)
{
	*state = sqlite_world_new(NULL);
	return 0;
}

static int tear_down(void **state)
{
	sqlite_world_free(*state);
	return 0;
}

static pep_status ping(struct store_driver *driver)
{
	struct pep_error err = {0};
	pep_status status = driver->ops->ping(driver->store, &err);

	assert_int_equal(err.status, status);
	return status;
}

/* Nobody knows what a disk holds after a failed fsync: the answer is "unknown", and what follows is in order again. */
static void a_failed_sync(void **state)
{
	struct store_driver *driver = &((struct sqlite_world *)*state)->driver;
	int64_t revision;

	assert_int_equal(sqlite_world_write(driver, "one", 0, NULL), PEP_OK);
	for (int i = 0; i < 5; i++) {
		revision = sqlite_world_revision(driver, "one");
		atomic_store(&sync_errno, EIO);
		assert_int_equal(sqlite_world_write(driver, "one", revision, NULL), PEP_UNKNOWN);
		assert_in_range(sqlite_world_revision(driver, "one"), revision, revision + 1);
		/* Who is refused gets a certain answer. */
		assert_int_equal(sqlite_world_write(driver, "one", revision + 7, NULL), PEP_CONFLICT);
		atomic_store(&sync_errno, 0);
		assert_int_equal(ping(driver), PEP_OK);
		revision = sqlite_world_revision(driver, "one");
		assert_int_equal(sqlite_world_write(driver, "one", revision, NULL), PEP_OK);
		assert_int_equal(sqlite_world_revision(driver, "one"), revision + 1);
	}
}

/* `cause`: what a write to the disk reports; `answer`: what the plugin makes of the first one. Then it may know already. */
static void check_failing_writes(struct store_driver *driver, int cause, pep_status answer)
{
	int64_t revision = sqlite_world_revision(driver, "one");

	atomic_store(&write_errno, cause);
	assert_int_equal(sqlite_world_write(driver, "one", revision, NULL), answer);
	for (int i = 0; i < 3; i++) {
		pep_status status = sqlite_world_write(driver, "two", 0, NULL);

		assert_true(status == answer || status == PEP_UNAVAILABLE);
		assert_int_equal(ping(driver), PEP_UNAVAILABLE);
		/* Reads go on. */
		assert_int_equal(sqlite_world_revision(driver, "one"), revision);
		assert_int_equal(sqlite_world_revision(driver, "two"), 0);
	}
	atomic_store(&write_errno, 0);
	assert_int_equal(ping(driver), PEP_OK);
	assert_int_equal(sqlite_world_write(driver, "one", revision, NULL), PEP_OK);
	assert_int_equal(sqlite_world_revision(driver, "one"), revision + 1);
	assert_int_equal(sqlite_world_revision(driver, "two"), 0);
}

static void writes_that_fail(void **state)
{
	struct store_driver *driver = &((struct sqlite_world *)*state)->driver;

	assert_int_equal(sqlite_world_write(driver, "one", 0, NULL), PEP_OK);
	check_failing_writes(driver, ENOSPC, PEP_UNAVAILABLE);
	check_failing_writes(driver, EDQUOT, PEP_UNAVAILABLE);
	check_failing_writes(driver, EFBIG, PEP_UNAVAILABLE);
	check_failing_writes(driver, EIO, PEP_UNKNOWN);
}

static void a_file_that_goes_away(void **state)
{
	struct sqlite_world *world = *state;
	struct store_driver *driver = &world->driver;
	char aside[SQLITE_PLACE_SIZE + 64];

	assert_int_equal(sqlite_world_write(driver, "one", 0, NULL), PEP_OK);
	(void)snprintf(aside, sizeof(aside), "%s.aside", world->path);
	assert_int_equal(rename(world->path, aside), 0);
	assert_int_equal(ping(driver), PEP_UNAVAILABLE);
	assert_int_equal(sqlite_world_write(driver, "one", 1, NULL), PEP_UNAVAILABLE);
	assert_int_equal(rename(aside, world->path), 0);
	assert_int_equal(ping(driver), PEP_OK);
	assert_int_equal(sqlite_world_write(driver, "one", 1, NULL), PEP_OK);
}

static void writers_share_commits(void **state)
{
	struct sqlite_writers all = {.driver = &((struct sqlite_world *)*state)->driver, .insert_count = 20, .report = -1};
	unsigned before = atomic_load(&sync_count), syncs;

	sqlite_writers_run(&all);
	syncs = atomic_load(&sync_count) - before;
	assert_int_equal(all.failed, 0);
	assert_int_equal(store_count(all.driver, SCAN_QUERY(.state = PEP_CLAIMED)), 20 * SQLITE_WRITER_COUNT);
	/* 960 writes; one alone has one sync. */
	assert_in_range(syncs, 1, 20 * 3 * SQLITE_WRITER_COUNT / 3);
}

/* A walk that stays open does not make the log grow without end. */
static void the_log_stays_small(void **state)
{
	struct sqlite_world *world = *state;
	struct sqlite_writers all = {.driver = &world->driver, .insert_count = 60, .report = -1};
	char *history = malloc(20001), log[SQLITE_PLACE_SIZE + 64];
	struct stat info;
	void *scan;

	assert_non_null(history);
	memset(history, 'h', 20000);
	history[20000] = '\0';
	all.history = history;
	assert_int_equal(sqlite_world_write(all.driver, "first", 0, NULL), PEP_OK);
	scan = walk_open(all.driver, SCAN_QUERY(.limit = 0));
	assert_non_null(walk_next(all.driver, scan));
	sqlite_writers_run(&all);
	assert_int_equal(all.failed, 0);
	(void)snprintf(log, sizeof(log), "%s-wal", world->path);
	assert_int_equal(stat(log, &info), 0);
	/* 2880 writes of 20 kB are 58 MB. */
	assert_in_range(info.st_size, 1, 36 * 1000 * 1000);
	assert_null(walk_next(all.driver, scan)); /* the first page was all there was */
	walk_close(all.driver, scan);
	free(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_failed_sync, set_up, tear_down),
		cmocka_unit_test_setup_teardown(writes_that_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_goes_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(writers_share_commits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_log_stays_small, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
