/* SPDX-License-Identifier: Apache-2.0
 *
 * spool_test.c - what is put there is there after a restart, and goes only when it is settled. fsync() and renameat() are wrapped, to
 * see their order and to let them fail.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct spool_entry entry_1 = {SERIAL, "00112233445566778899aabbccddeeff", ID_1, 3};

/* What the wrapped calls have seen and what they shall do; of the linker's --wrap, hence at file scope. */
static char trace[64];
static unsigned fsync_fails_at, fsync_calls;
static bool rename_fails;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int old_folder, const char *old_name, int new_folder, const char *new_name);
int __wrap_renameat(int old_folder, const char *old_name, int new_folder, const char *new_name);

static void note(const char *what)
{
	size_t size = strlen(trace);

	(void)snprintf(trace + size, sizeof(trace) - size, "%s ", what);
}

int __wrap_fsync(int fd)
{
	struct stat about = {0};

	(void)fstat(fd, &about);
	note(S_ISDIR(about.st_mode) ? "folder" : "file");
	if (++fsync_calls == fsync_fails_at) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

int __wrap_renameat(int old_folder, const char *old_name, int new_folder, const char *new_name)
{
	note("rename");
	if (rename_fails) {
		errno = ENOSPC;
		return -1;
	}
	return __real_renameat(old_folder, old_name, new_folder, new_name);
}

static int set_up(void **state)
{
	int failed = fixture_set_up(state);

	trace[0] = '\0';
	fsync_calls = 0;
	fsync_fails_at = 0;
	rename_fails = false;
	return failed;
}

/* What a replay saw. */
struct seen {
	unsigned count;
	bool answer;
	char serial[80], nonce[40], enrollment_id[128];
	uint32_t attempt;
};

static bool look(void *context, const struct spool_entry *entry)
{
	struct seen *seen = context;

	seen->count++;
	seen->attempt = entry->attempt;
	(void)snprintf(seen->serial, sizeof(seen->serial), "%s", entry->serial);
	(void)snprintf(seen->nonce, sizeof(seen->nonce), "%s", entry->nonce);
	(void)snprintf(seen->enrollment_id, sizeof(seen->enrollment_id), "%s", entry->enrollment_id);
	return seen->answer;
}

static struct spool *spool_of(void **state)
{
	return ((struct fixture *)*state)->provisioner.spool;
}

static pep_status put(void **state, const struct spool_entry *entry)
{
	struct pep_error err = {0};

	return spool_put(spool_of(state), entry, &err);
}

static void write_file(const struct fixture *fixture, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void an_entry_survives_a_restart(void **state)
{
	struct fixture *fixture = *state;
	struct seen seen = {.answer = true};

	assert_int_equal(spool_count(spool_of(state)), 0);
	assert_int_equal(put(state, &entry_1), PEP_OK);
	fixture_reopen_spool(fixture);
	assert_int_equal(spool_count(spool_of(state)), 1);
	spool_replay(spool_of(state), look, &seen);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.serial, SERIAL);
	assert_string_equal(seen.nonce, entry_1.nonce);
	assert_string_equal(seen.enrollment_id, ID_1);
	assert_int_equal(seen.attempt, 3);
	assert_int_equal(spool_count(spool_of(state)), 0);
	assert_int_equal(fixture_files(fixture, ".delivered"), 0);
	spool_replay(spool_of(state), look, &seen);
	assert_int_equal(seen.count, 1);
}

static void what_is_not_settled_stays(void **state)
{
	struct fixture *fixture = *state;
	struct seen seen = {.answer = false};

	assert_int_equal(put(state, &entry_1), PEP_OK);
	for (unsigned round = 1; round <= 3; round++) {
		spool_replay(spool_of(state), look, &seen);
		assert_int_equal(seen.count, round);
	}
	assert_int_equal(spool_count(spool_of(state)), 1);
	assert_int_equal(fixture_files(fixture, ".delivered"), 1);
}

static void any_serial_and_the_largest_attempt(void **state)
{
	static const char *const serials[] = {"a/../b", "..", "x y", "\"quoted\\\"", "Ger\xc3\xa4t", "'()+,-./:=?_"};
	struct seen seen;

	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		struct spool_entry entry = {serials[i], entry_1.nonce, ID_1, UINT32_MAX};

		seen = (struct seen){.answer = true};
		assert_int_equal(put(state, &entry), PEP_OK);
		spool_replay(spool_of(state), look, &seen);
		assert_string_equal(seen.serial, serials[i]);
		assert_true(seen.attempt == UINT32_MAX);
	}
	assert_int_equal(fixture_files(*state, ".delivered"), 0);
}

static void many_entries(void **state)
{
	struct seen seen = {.answer = true};
	char nonce[33];

	for (unsigned i = 0; i < 50; i++) {
		struct spool_entry entry = {SERIAL, nonce, ID_1, i + 1};

		(void)snprintf(nonce, sizeof(nonce), "%032u", i);
		assert_int_equal(put(state, &entry), PEP_OK);
	}
	assert_int_equal(spool_count(spool_of(state)), 50);
	spool_replay(spool_of(state), look, &seen);
	assert_int_equal(seen.count, 50);
	assert_int_equal(spool_count(spool_of(state)), 0);
}

static void the_file_is_synced_before_its_name_is_there(void **state)
{
	assert_int_equal(put(state, &entry_1), PEP_OK);
	assert_string_equal(trace, "file rename folder ");
}

static void a_write_that_fails_leaves_nothing(void **state)
{
	fsync_fails_at = 1;
	assert_int_equal(put(state, &entry_1), PEP_UNAVAILABLE);
	assert_string_equal(trace, "file ");
	rename_fails = true;
	assert_int_equal(put(state, &entry_1), PEP_UNAVAILABLE);
	assert_int_equal(spool_count(spool_of(state)), 0);
	assert_int_equal(fixture_files(*state, "delivered"), 0);
}

static void a_name_that_may_not_survive_is_replayed_all_the_same(void **state)
{
	struct seen seen = {.answer = true};

	fsync_fails_at = 2;
	assert_int_equal(put(state, &entry_1), PEP_UNKNOWN);
	assert_int_equal(spool_count(spool_of(state)), 1);
	spool_replay(spool_of(state), look, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(spool_count(spool_of(state)), 0);
}

static void what_cannot_be_understood_is_kept(void **state)
{
	static const char *const damaged[] = {
		"",
		"{",
		"[]",
		"null",
		"{\"serial\":\"x\"}",
		"{\"serial\":1,\"nonce\":\"n\",\"enrollment_id\":\"e\",\"attempt\":1}",
		"{\"serial\":\"s\",\"nonce\":\"n\",\"enrollment_id\":\"e\",\"attempt\":\"1\"}",
		"{\"serial\":\"s\",\"nonce\":\"n\",\"enrollment_id\":\"e\",\"attempt\":0}",
		"{\"serial\":\"s\",\"nonce\":\"n\",\"enrollment_id\":\"e\",\"attempt\":-1}",
		"{\"serial\":\"s\",\"nonce\":\"n\",\"enrollment_id\":\"e\",\"attempt\":4294967296}",
		"{\"serial\":\"s\",\"nonce\":\"n\",\"enrollment_id\":\"e\",\"attempt\":1} and more",
	};
	const unsigned count = sizeof(damaged) / sizeof(damaged[0]);
	struct seen seen = {.answer = true};
	char name[32];

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "%u.delivered", i);
		write_file(*state, name, damaged[i]);
	}
	fixture_reopen_spool(*state);
	assert_int_equal(put(state, &entry_1), PEP_OK);
	spool_replay(spool_of(state), look, &seen);
	assert_int_equal(seen.count, 1); /* the good one is not held up */
	assert_int_equal(spool_count(spool_of(state)), count);
	assert_int_equal(fixture_files(*state, ".delivered"), count);
}

static void other_files_are_not_looked_at(void **state)
{
	struct seen seen = {.answer = true};

	write_file(*state, ".delivered", "{");
	write_file(*state, "notes.txt", "mine");
	fixture_reopen_spool(*state);
	assert_int_equal(spool_count(spool_of(state)), 0);
	assert_int_equal(put(state, &entry_1), PEP_OK);
	spool_replay(spool_of(state), look, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(fixture_files(*state, "notes.txt"), 1);
}

/* Killed between write and rename. Half of a file tells nothing; a whole one is a fact. */
static void what_a_crash_left_is_finished(void **state)
{
	struct seen seen = {.answer = true};

	write_file(*state, ".half.delivered", "{");
	write_file(*state, ".whole.delivered", "{\"serial\":\"s\",\"nonce\":\"n\",\"enrollment_id\":\"e\",\"attempt\":7}");
	fixture_reopen_spool(*state);
	assert_int_equal(spool_count(spool_of(state)), 1);
	assert_int_equal(fixture_files(*state, ".delivered"), 1);
	spool_replay(spool_of(state), look, &seen);
	assert_int_equal(seen.attempt, 7);
	assert_int_equal(fixture_files(*state, ".delivered"), 0);
}

static void a_second_server_is_kept_out(void **state)
{
	struct fixture *fixture = *state;
	struct spool *second = NULL;
	struct pep_error err = {0};

	assert_int_equal(spool_open(fixture->folder, &second, &err), PEP_CONFLICT);
	assert_null(second);
	assert_non_null(strstr(err.message, fixture->folder));
	assert_int_equal(err.native, EWOULDBLOCK);
	fixture_reopen_spool(fixture);
}

static void a_folder_that_cannot_be_used(void **state)
{
	struct fixture *fixture = *state;
	struct spool *spool = NULL;
	struct pep_error err = {0};
	char path[128];

	write_file(fixture, "plain", "no folder");
	(void)snprintf(path, sizeof(path), "%s/plain", fixture->folder);
	assert_int_equal(spool_open(path, &spool, &err), PEP_UNAVAILABLE);
	assert_int_equal(err.native, ENOTDIR);
	assert_non_null(strstr(err.message, path));
	(void)snprintf(path, sizeof(path), "%s/not/there", fixture->folder);
	assert_int_equal(spool_open(path, &spool, &err), PEP_UNAVAILABLE);
	assert_int_equal(err.native, ENOENT);
	assert_null(spool);
	spool_close(NULL);
}

static void a_new_folder_is_ours_alone(void **state)
{
	struct fixture *fixture = *state;
	struct spool *spool = NULL;
	struct pep_error err = {0};
	struct stat about;
	char path[128];
	char lock[160];

	(void)snprintf(path, sizeof(path), "%s/new", fixture->folder);
	assert_int_equal(spool_open(path, &spool, &err), PEP_OK);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 0077, 0);
	assert_string_equal(trace, "folder "); /* the one above: or its name could be lost */
	spool_close(spool);
	(void)snprintf(lock, sizeof(lock), "%s/.lock", path);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(rmdir(path), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_entry_survives_a_restart),
		TEST(what_is_not_settled_stays),
		TEST(any_serial_and_the_largest_attempt),
		TEST(many_entries),
		TEST(the_file_is_synced_before_its_name_is_there),
		TEST(a_write_that_fails_leaves_nothing),
		TEST(a_name_that_may_not_survive_is_replayed_all_the_same),
		TEST(what_cannot_be_understood_is_kept),
		TEST(other_files_are_not_looked_at),
		TEST(what_a_crash_left_is_finished),
		TEST(a_second_server_is_kept_out),
		TEST(a_folder_that_cannot_be_used),
		TEST(a_new_folder_is_ours_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
