/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers that are killed while they write, or that run into a limit of file size: children, which are this program again.
 */
#include "sqlite_world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define KILL_COUNT 12u

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
		(void)execl("/proc/self/exe", "sqlite_crash_test", what, path, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	*ret_pipe = ends[0];
	return pid;
}

static int child_writes(const char *path)
{
	struct sqlite_world *world = sqlite_world_new(path);
	struct sqlite_writers all = {.driver = &world->driver, .insert_count = 100000, .report = STDOUT_FILENO};

	sqlite_writers_run(&all); /* until it is killed */
	return 1;
}

/* Takes promises until `enough` (0: all), keeps the last revision of each serial. Returns how many. */
static unsigned take_promises(int from, unsigned enough, int32_t *revisions, unsigned room)
{
	struct sqlite_promise promise;
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
		revision = sqlite_world_revision(driver, serial);
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
		struct sqlite_world *world;
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
		world = sqlite_world_new(path);
		check_promises(&world->driver, revisions, ROOM);
		assert_int_equal(sqlite_world_write(&world->driver, "after", 0, NULL), PEP_OK);
		sqlite_world_free(world);
	}
	sqlite_place_fini(folder);
	free(revisions);
}

/* With a real limit: writes that end in the middle. Exit status: the line that went wrong. */
static int child_fills_up(const char *path)
{
	struct sqlite_world *world = sqlite_world_new(path);
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
		const struct sqlite_promise promise = {count, 1};

		(void)snprintf(serial, sizeof(serial), "GW-%06u", count++);
		status = sqlite_world_write(&world->driver, serial, 0, history);
		if (status == PEP_OK && write(STDOUT_FILENO, &promise, sizeof(promise)) != (ssize_t)sizeof(promise))
			return 4;
	} while (status == PEP_OK && count < 1000);
	if (status != PEP_UNAVAILABLE)
		return 5;
	for (unsigned i = 0; i + 1 < count; i++) {
		(void)snprintf(serial, sizeof(serial), "GW-%06u", i);
		if (sqlite_world_revision(&world->driver, serial) != 1)
			return 6;
	}
	(void)snprintf(serial, sizeof(serial), "GW-%06u", count - 1);
	if (sqlite_world_revision(&world->driver, serial) != 0)
		return 7;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 8;
	if (sqlite_world_write(&world->driver, serial, 0, history) != PEP_OK)
		return 9;
	sqlite_world_free(world);
	return 0;
}

static void a_full_disk(void **state)
{
	enum { ROOM = 2000 };
	int32_t revisions[ROOM] = {0};
	char folder[SQLITE_PLACE_SIZE], path[SQLITE_PLACE_SIZE + 32];
	struct sqlite_world *world;
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
	world = sqlite_world_new(path);
	check_promises(&world->driver, revisions, ROOM);
	sqlite_world_free(world);
	sqlite_place_fini(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_while_writing),
		cmocka_unit_test(a_full_disk),
	};

	if (argc == 3 && strcmp(argv[1], "writes") == 0)
		return child_writes(argv[2]);
	if (argc == 3 && strcmp(argv[1], "fills-up") == 0)
		return child_fills_up(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
