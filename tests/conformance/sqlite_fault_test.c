/* SPDX-License-Identifier: Apache-2.0
 *
 * Disks that fail, fill up or lose power under the sqlite plugin, and what it answers meanwhile.
 *
 * fdatasync() and pwrite64() of this program stand before those of the C library, for SQLite, too: that is how the disk fails.
 */
#include "storage_driver.h"

#include "sqlite_place.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define THREAD_COUNT 16u
#define KILL_COUNT 12u

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

struct world {
	char folder[SQLITE_PLACE_SIZE], path[SQLITE_PLACE_SIZE + 32];
	union pep_value values[SQLITE_OPTION_COUNT];
	struct storage_facts facts;
	struct store_driver driver;
};

static const union pep_value *values_of(void *ctx, unsigned number)
{
	struct world *world = ctx;

	(void)number;
	sqlite_place_values(world->path, world->values);
	return world->values;
}

static struct world *world_new(const char *path)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		abort();
	if (path) {
		(void)snprintf(world->path, sizeof(world->path), "%s", path);
	} else {
		sqlite_place_init(world->folder);
		(void)snprintf(world->path, sizeof(world->path), "%s/pep.db", world->folder);
	}
	world->facts = (struct storage_facts){.file = PEP_TEST_PLUGIN_DIR "/sqlite.so", .values = values_of, .ctx = world};
	store_open(&world->driver, &world->facts, 0);
	return world;
}

static int set_up(void **state)
{
	*state = world_new(NULL);
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	store_close(&world->driver);
	sqlite_place_fini(world->folder);
	free(world);
	return 0;
}

static pep_status write_one(struct store_driver *driver, const char *serial, int64_t revision, const char *history)
{
	const struct pep_identity id = {.struct_size = sizeof(id),
					.state = PEP_CLAIMED,
					.revision = revision,
					.attempt = (uint32_t)revision + 1,
					.serial = serial,
					.history = history};

	return revision ? store_update(driver, &id) : store_insert(driver, &id);
}

/* 0: there is none. */
static int64_t revision_of(struct store_driver *driver, const char *serial)
{
	struct arena arena = {0};
	const struct pep_identity *id = store_get(driver, &arena, serial);
	int64_t revision = id ? id->revision : 0;

	arena_fini(&arena);
	return revision;
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
	struct store_driver *driver = &((struct world *)*state)->driver;
	int64_t revision;

	assert_int_equal(write_one(driver, "one", 0, NULL), PEP_OK);
	for (int i = 0; i < 5; i++) {
		revision = revision_of(driver, "one");
		atomic_store(&sync_errno, EIO);
		assert_int_equal(write_one(driver, "one", revision, NULL), PEP_UNKNOWN);
		assert_in_range(revision_of(driver, "one"), revision, revision + 1);
		/* Who is refused gets a certain answer. */
		assert_int_equal(write_one(driver, "one", revision + 7, NULL), PEP_CONFLICT);
		atomic_store(&sync_errno, 0);
		assert_int_equal(ping(driver), PEP_OK);
		revision = revision_of(driver, "one");
		assert_int_equal(write_one(driver, "one", revision, NULL), PEP_OK);
		assert_int_equal(revision_of(driver, "one"), revision + 1);
	}
}

/* `cause`: what a write to the disk reports; `answer`: what the plugin makes of the first one. Then it may know already. */
static void check_failing_writes(struct store_driver *driver, int cause, pep_status answer)
{
	int64_t revision = revision_of(driver, "one");

	atomic_store(&write_errno, cause);
	assert_int_equal(write_one(driver, "one", revision, NULL), answer);
	for (int i = 0; i < 3; i++) {
		pep_status status = write_one(driver, "two", 0, NULL);

		assert_true(status == answer || status == PEP_UNAVAILABLE);
		assert_int_equal(ping(driver), PEP_UNAVAILABLE);
		/* Reads go on. */
		assert_int_equal(revision_of(driver, "one"), revision);
		assert_int_equal(revision_of(driver, "two"), 0);
	}
	atomic_store(&write_errno, 0);
	assert_int_equal(ping(driver), PEP_OK);
	assert_int_equal(write_one(driver, "one", revision, NULL), PEP_OK);
	assert_int_equal(revision_of(driver, "one"), revision + 1);
	assert_int_equal(revision_of(driver, "two"), 0);
}

static void writes_that_fail(void **state)
{
	struct store_driver *driver = &((struct world *)*state)->driver;

	assert_int_equal(write_one(driver, "one", 0, NULL), PEP_OK);
	check_failing_writes(driver, ENOSPC, PEP_UNAVAILABLE);
	check_failing_writes(driver, EDQUOT, PEP_UNAVAILABLE);
	check_failing_writes(driver, EFBIG, PEP_UNAVAILABLE);
	check_failing_writes(driver, EIO, PEP_UNKNOWN);
}

static void a_file_that_goes_away(void **state)
{
	struct world *world = *state;
	struct store_driver *driver = &world->driver;
	char aside[SQLITE_PLACE_SIZE + 64];

	assert_int_equal(write_one(driver, "one", 0, NULL), PEP_OK);
	(void)snprintf(aside, sizeof(aside), "%s.aside", world->path);
	assert_int_equal(rename(world->path, aside), 0);
	assert_int_equal(ping(driver), PEP_UNAVAILABLE);
	assert_int_equal(write_one(driver, "one", 1, NULL), PEP_UNAVAILABLE);
	assert_int_equal(rename(aside, world->path), 0);
	assert_int_equal(ping(driver), PEP_OK);
	assert_int_equal(write_one(driver, "one", 1, NULL), PEP_OK);
}

/* --- many writers --- */

struct writers {
	struct store_driver *driver;
	const char *history; /* of each record */
	unsigned insert_count;
	int report; /* a pipe for what is certain; -1: none */
	atomic_uint failed;
};

struct writer {
	struct writers *all;
	unsigned number;
	pthread_t thread;
};

/* What the plugin has said is stored: fits into one atomic write to a pipe. */
struct promise {
	uint32_t serial;
	int32_t revision;
};

static void report(const struct writers *all, unsigned serial, int32_t revision)
{
	const struct promise promise = {serial, revision};

	if (all->report >= 0 && write(all->report, &promise, sizeof(promise)) != (ssize_t)sizeof(promise))
		abort();
}

/* A life of three revisions for each serial of its own. */
static void *write_lives(void *arg)
{
	struct writer *writer = arg;
	struct writers *all = writer->all;

	for (unsigned i = 0; i < all->insert_count; i++) {
		unsigned number = i * THREAD_COUNT + writer->number;
		char serial[32];

		(void)snprintf(serial, sizeof(serial), "GW-%06u", number);
		for (int32_t revision = 0; revision < 3; revision++) {
			if (write_one(all->driver, serial, revision, all->history) == PEP_OK)
				report(all, number, revision + 1);
			else
				all->failed++;
		}
	}
	return NULL;
}

static void run_writers(struct writers *all)
{
	struct writer writers[THREAD_COUNT];

	for (unsigned i = 0; i < THREAD_COUNT; i++) {
		writers[i] = (struct writer){.all = all, .number = i};
		if (pthread_create(&writers[i].thread, NULL, write_lives, &writers[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < THREAD_COUNT; i++)
		(void)pthread_join(writers[i].thread, NULL);
}

static void writers_share_commits(void **state)
{
	struct writers all = {.driver = &((struct world *)*state)->driver, .insert_count = 20, .report = -1};
	unsigned before = atomic_load(&sync_count), syncs;

	run_writers(&all);
	syncs = atomic_load(&sync_count) - before;
	assert_int_equal(all.failed, 0);
	assert_int_equal(store_count(all.driver, SCAN_QUERY(.state = PEP_CLAIMED)), 20 * THREAD_COUNT);
	/* 960 writes; one alone has one sync. */
	assert_in_range(syncs, 1, 20 * 3 * THREAD_COUNT / 3);
}

/* A walk that stays open does not make the log grow without end. */
static void the_log_stays_small(void **state)
{
	struct world *world = *state;
	struct writers all = {.driver = &world->driver, .insert_count = 60, .report = -1};
	char *history = malloc(20001), log[SQLITE_PLACE_SIZE + 64];
	struct stat info;
	void *scan;

	assert_non_null(history);
	memset(history, 'h', 20000);
	history[20000] = '\0';
	all.history = history;
	assert_int_equal(write_one(all.driver, "first", 0, NULL), PEP_OK);
	scan = walk_open(all.driver, SCAN_QUERY(.limit = 0));
	assert_non_null(walk_next(all.driver, scan));
	run_writers(&all);
	assert_int_equal(all.failed, 0);
	(void)snprintf(log, sizeof(log), "%s-wal", world->path);
	assert_int_equal(stat(log, &info), 0);
	/* 2880 writes of 20 kB are 58 MB. */
	assert_in_range(info.st_size, 1, 36 * 1000 * 1000);
	assert_null(walk_next(all.driver, scan)); /* the first page was all there was */
	walk_close(all.driver, scan);
	free(history);
}

/* --- children: this program again --- */

static pid_t start_child(const char *what, const char *path, int *ret_pipe)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (dup2(ends[1], STDOUT_FILENO) < 0)
			_exit(126);
		(void)close(ends[0]);
		(void)close(ends[1]);
		(void)execl("/proc/self/exe", "sqlite_fault_test", what, path, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	*ret_pipe = ends[0];
	return pid;
}

static int child_writes(const char *path)
{
	struct world *world = world_new(path);
	struct writers all = {.driver = &world->driver, .insert_count = 100000, .report = STDOUT_FILENO};

	run_writers(&all); /* until it is killed */
	return 1;
}

/* Takes promises until `enough` (0: all), keeps the last revision of each serial. Returns how many. */
static unsigned take_promises(int from, unsigned enough, int32_t *revisions, unsigned room)
{
	struct promise promise;
	unsigned count = 0;

	while ((!enough || count < enough) && read(from, &promise, sizeof(promise)) == (ssize_t)sizeof(promise)) {
		assert_true(promise.serial < room);
		if (revisions[promise.serial] < promise.revision)
			revisions[promise.serial] = promise.revision;
		count++;
	}
	return count;
}

/* What is promised to be there is there, and nothing that nobody wrote. */
static void check_promises(struct store_driver *driver, const int32_t *revisions, unsigned room)
{
	for (unsigned i = 0; i < room; i++) {
		char serial[32];
		int64_t revision;

		(void)snprintf(serial, sizeof(serial), "GW-%06u", i);
		if (revisions[i] == 0)
			continue;
		revision = revision_of(driver, serial);
		if (revision < revisions[i] || revision > 3)
			fail_msg("%s has revision %lld instead of %d or more", serial, (long long)revision, (int)revisions[i]);
	}
}

static void killed_while_writing(void **state)
{
	enum { ROOM = 200000 };
	int32_t *revisions = calloc(ROOM, sizeof(revisions[0]));
	char folder[SQLITE_PLACE_SIZE], path[SQLITE_PLACE_SIZE + 32];

	(void)state;
	assert_non_null(revisions);
	sqlite_place_init(folder);
	for (unsigned i = 0; i < KILL_COUNT; i++) {
		struct world *world;
		int from, status;
		pid_t pid;

		/* Each from an empty store; the next start is the check. */
		(void)snprintf(path, sizeof(path), "%s/%u.db", folder, i);
		memset(revisions, 0, ROOM * sizeof(revisions[0]));
		pid = start_child("writes", path, &from);
		assert_true(take_promises(from, 1 + i * i * 13, revisions, ROOM) > 0);
		assert_int_equal(kill(pid, SIGKILL), 0);
		(void)take_promises(from, 0, revisions, ROOM);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		(void)close(from);
		world = world_new(path);
		check_promises(&world->driver, revisions, ROOM);
		assert_int_equal(write_one(&world->driver, "after", 0, NULL), PEP_OK);
		store_close(&world->driver);
		free(world);
	}
	sqlite_place_fini(folder);
	free(revisions);
}

/* With a real limit: writes that end in the middle. Exit status: the line that went wrong. */
static int child_fills_up(const char *path)
{
	struct world *world = world_new(path);
	struct rlimit limit;
	char serial[32], history[3001];
	unsigned count = 0;
	pep_status status;

	memset(history, 'h', sizeof(history) - 1);
	history[sizeof(history) - 1] = '\0';
	(void)signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 2;
	limit.rlim_cur = 300001;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 3;
	do {
		const struct promise promise = {count, 1};

		(void)snprintf(serial, sizeof(serial), "GW-%06u", count++);
		status = write_one(&world->driver, serial, 0, history);
		if (status == PEP_OK && write(STDOUT_FILENO, &promise, sizeof(promise)) != (ssize_t)sizeof(promise))
			return 4;
	} while (status == PEP_OK && count < 1000);
	if (status != PEP_UNAVAILABLE)
		return 5;
	for (unsigned i = 0; i + 1 < count; i++) {
		(void)snprintf(serial, sizeof(serial), "GW-%06u", i);
		if (revision_of(&world->driver, serial) != 1)
			return 6;
	}
	(void)snprintf(serial, sizeof(serial), "GW-%06u", count - 1);
	if (revision_of(&world->driver, serial) != 0)
		return 7;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 8;
	if (write_one(&world->driver, serial, 0, history) != PEP_OK)
		return 9;
	store_close(&world->driver);
	free(world);
	return 0;
}

static void a_full_disk(void **state)
{
	enum { ROOM = 2000 };
	int32_t revisions[ROOM] = {0};
	char folder[SQLITE_PLACE_SIZE], path[SQLITE_PLACE_SIZE + 32];
	struct world *world;
	int from, status;
	pid_t pid;

	(void)state;
	sqlite_place_init(folder);
	(void)snprintf(path, sizeof(path), "%s/pep.db", folder);
	pid = start_child("fills-up", path, &from);
	assert_in_range(take_promises(from, 0, revisions, ROOM), 10, 999);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(from);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	world = world_new(path);
	check_promises(&world->driver, revisions, ROOM);
	store_close(&world->driver);
	free(world);
	sqlite_place_fini(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_failed_sync, set_up, tear_down),
		cmocka_unit_test_setup_teardown(writes_that_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_goes_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(writers_share_commits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_log_stays_small, set_up, tear_down),
		cmocka_unit_test(killed_while_writing),
		cmocka_unit_test(a_full_disk),
	};

	if (argc == 3 && strcmp(argv[1], "writes") == 0)
		return child_writes(argv[2]);
	if (argc == 3 && strcmp(argv[1], "fills-up") == 0)
		return child_fills_up(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
