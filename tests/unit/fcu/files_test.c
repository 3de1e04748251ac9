/* SPDX-License-Identifier: Apache-2.0
 *
 * files_test.c - what the state folder says of an attempt, at each moment at which somebody may have died.
 */
#include "plugins/injector/fcu/files.h"
#include "plugins/injector/fcu/job.h"
#include "plugins/injector/fcu/remove.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NONCE "00112233445566778899aabbccddeeff"
#define ID "A-00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

struct place {
	char path[256];
	struct files files;
};
static const struct pep_identity attempt = {.struct_size = sizeof(attempt), .serial = "GW 1", .nonce = NONCE};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	struct pep_error err = {0};

	if (!place)
		return -1;
	(void)snprintf(place->path, sizeof(place->path), "%s", PEP_TEST_BINARY_DIR "/fcu-files-XXXXXX");
	if (!mkdtemp(place->path))
		return -1;
	*state = place;
	return files_open(place->path, &place->files, &err) == PEP_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	files_close(&place->files);
	remove_tree(AT_FDCWD, place->path);
	free(place);
	return 0;
}

static enum files_state look(const struct place *place)
{
	struct pep_error err = {0};
	enum files_state state = 0;

	assert_int_equal(files_look(&place->files, &attempt, &state, &err), PEP_OK);
	return state;
}

static int make_job(const struct place *place)
{
	struct pep_error err = {0};
	int job = -1;

	assert_int_equal(files_make_job(&place->files, &attempt, &job, &err), PEP_OK);
	return job;
}

static void write_result(const struct place *place, const char *text)
{
	int fd = openat(place->files.folder, NONCE JOB_RESULT_SUFFIX, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void each_moment_has_its_state(void **state)
{
	const struct place *place = *state;
	int job;

	assert_int_equal(look(place), FILES_NONE);
	job = make_job(place);
	assert_int_equal(look(place), FILES_RUNNING);
	assert_int_equal(close(job), 0); /* the server died before it could start a runner */
	assert_int_equal(look(place), FILES_NOT_STARTED);
	files_remove(&place->files, NONCE);
	assert_int_equal(look(place), FILES_NONE);

	job = make_job(place);
	assert_int_equal(write(job, JOB_MARK, strlen(JOB_MARK)), strlen(JOB_MARK));
	assert_int_equal(look(place), FILES_RUNNING);
	assert_int_equal(close(job), 0); /* the runner was killed */
	assert_int_equal(look(place), FILES_LOST);
	write_result(place, "x");
	assert_int_equal(look(place), FILES_FINISHED);
}

/* As a runner that is about to exit. */
static void a_result_under_a_lock_is_not_looked_at(void **state)
{
	const struct place *place = *state;
	int job = make_job(place);

	write_result(place, "x");
	assert_int_equal(look(place), FILES_RUNNING);
	assert_int_equal(close(job), 0);
	assert_int_equal(look(place), FILES_FINISHED);
}

static void a_half_mark_is_a_mark(void **state)
{
	const struct place *place = *state;
	int job = make_job(place);

	assert_int_equal(write(job, JOB_MARK, 1), 1);
	assert_int_equal(close(job), 0);
	assert_int_equal(look(place), FILES_LOST);
}

/* The lock is the descriptor's, not the process's: a copy keeps it. */
static void a_copy_keeps_the_lock(void **state)
{
	const struct place *place = *state;
	int job = make_job(place);
	int copy = fcntl(job, F_DUPFD_CLOEXEC, 0);

	assert_int_equal(close(job), 0);
	assert_int_equal(look(place), FILES_RUNNING);
	assert_int_equal(close(copy), 0);
	assert_int_equal(look(place), FILES_NOT_STARTED);
}

/* Who looks has it open and locked for a moment: no runner. */
static void two_may_look_at_the_same_time(void **state)
{
	const struct place *place = *state;
	int other;

	assert_int_equal(close(make_job(place)), 0);
	other = openat(place->files.folder, NONCE JOB_SUFFIX, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), 0);
	assert_int_equal(look(place), FILES_NOT_STARTED);
	assert_int_equal(close(other), 0);
}

struct looker {
	const struct place *place;
	atomic_bool stop;
};

static void *look_all_the_time(void *data)
{
	struct looker *looker = data;

	while (!atomic_load(&looker->stop))
		(void)look(looker->place);
	return NULL;
}

/* Nobody sees a job before it is locked, so nobody can take its lock away. */
static void who_looks_does_not_keep_a_job_from_being_made(void **state)
{
	struct looker looker = {.place = *state};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, look_all_the_time, &looker), 0);
	for (unsigned i = 0; i < 300; i++) {
		int job = make_job(looker.place);

		assert_int_equal(look(looker.place), FILES_RUNNING);
		assert_int_equal(close(job), 0);
		files_remove(&looker.place->files, NONCE);
	}
	atomic_store(&looker.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void an_attempt_begins_once(void **state)
{
	const struct place *place = *state;
	struct pep_error err = {0};
	int again = -1;

	assert_int_equal(close(make_job(place)), 0);
	assert_int_equal(files_make_job(&place->files, &attempt, &again, &err), PEP_CONFLICT);
	assert_int_equal(again, -1);
	assert_int_equal(look(place), FILES_NOT_STARTED);
}

static void results_are_read(void **state)
{
	const struct place *place = *state;
	char *text = malloc(RESULT_SIZE_MAX);
	struct pep_error err = {0};
	struct result result;

	assert_non_null(text);
	assert_int_equal(files_read_result(&place->files, &attempt, text, &result, &err), PEP_UNAVAILABLE);
	write_result(place, "pep-fcu-run 1\nserial GW 1\nend exited 0\nfound 1 whole " ID "\noutput\nbye\n");
	assert_int_equal(files_read_result(&place->files, &attempt, text, &result, &err), PEP_OK);
	assert_string_equal(result.found.identity, ID);
	assert_int_equal(result.output_size, 4);
	write_result(place, "pep-fcu-run 1\nserial GW 2\nend exited 0\nfound 1 whole " ID "\noutput\n");
	assert_int_equal(files_read_result(&place->files, &attempt, text, &result, &err), PEP_INTERNAL);
	write_result(place, "");
	assert_int_equal(files_read_result(&place->files, &attempt, text, &result, &err), PEP_INTERNAL);
	free(text);
}

static void removing_leaves_nothing(void **state)
{
	const struct place *place = *state;
	char path[512];

	assert_int_equal(close(make_job(place)), 0);
	write_result(place, "x");
	(void)snprintf(path, sizeof(path), "%s/" NONCE JOB_FOLDER_SUFFIX, place->path);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/" NONCE JOB_FOLDER_SUFFIX "/deep", place->path);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/" NONCE JOB_FOLDER_SUFFIX "/deep/link", place->path);
	assert_int_equal(symlink(PEP_TEST_SOURCE_DIR, path), 0);
	files_remove(&place->files, NONCE);
	files_remove(&place->files, NONCE); /* again is fine */
	assert_int_equal(access(PEP_TEST_SOURCE_DIR "/CMakeLists.txt", F_OK), 0);
	assert_int_equal(rmdir(place->path), 0); /* it was empty */
}

static void nonces_are_names(void **state)
{
	(void)state;
	assert_true(files_is_nonce(NONCE));
	assert_false(files_is_nonce(NULL));
	assert_false(files_is_nonce(""));
	assert_false(files_is_nonce("../../../../../../../../etc/passwd"));
	assert_false(files_is_nonce("00112233445566778899AABBCCDDEEFF"));
	assert_false(files_is_nonce(NONCE "0"));
}

static void a_folder_that_cannot_be_is_said(void **state)
{
	struct files files;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(files_open("/proc/none/fcu", &files, &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, "/proc/none/fcu"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_moment_has_its_state),       TEST(a_result_under_a_lock_is_not_looked_at),
		TEST(a_half_mark_is_a_mark),           TEST(a_copy_keeps_the_lock),
		TEST(two_may_look_at_the_same_time),   TEST(who_looks_does_not_keep_a_job_from_being_made),
		TEST(an_attempt_begins_once),          TEST(results_are_read),
		TEST(removing_leaves_nothing),         TEST(nonces_are_names),
		TEST(a_folder_that_cannot_be_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
