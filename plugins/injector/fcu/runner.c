/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-fcu-run: runs the vendor's tool for the fcu injector, and outlives the server. It says on disk that it is about to start the tool,
 * starts it, ends it before the deadline, and leaves a result on disk. Arguments and descriptors are those of job.h.
 */
#include "job.h"
#include "redact.h"
#include "remove.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_NO_RESULT = 3, NAME_ROOM = 80, SECRETS_MAX = 32 };

struct run {
	char **arguments;
	struct tool_plan tool;
	struct watch_plan watch;
	char result_name[NAME_ROOM], new_name[NAME_ROOM], folder_name[NAME_ROOM];
	int result; /* the file, under its new name */
	struct watch_report report;
	char text[RESULT_SIZE_MAX], output[2 * TAIL_SIZE + 64];
};

static bool read_number(const char *text, int64_t *ret_number)
{
	char *end = NULL;

	errno = 0;
	*ret_number = strtoimax(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && errno == 0;
}

static bool is_nonce(const char *text)
{
	size_t size = strspn(text, "0123456789abcdef");

	return size == 32 && !text[size];
}

static bool read_arguments(int count, char **arguments, struct run *run)
{
	const char *nonce;

	if (count <= JOB_ARG_COMMAND || !is_nonce(arguments[JOB_ARG_NONCE]) || arguments[JOB_ARG_COMMAND][0] != '/')
		return false;
	if (strlen(arguments[JOB_ARG_SERIAL]) >= RESULT_SERIAL_MAX || strchr(arguments[JOB_ARG_SERIAL], '\n'))
		return false;
	if (!read_number(arguments[JOB_ARG_DEADLINE_MS], &run->tool.deadline_ms) ||
	    !read_number(arguments[JOB_ARG_GRACE_MS], &run->watch.grace_ms) ||
	    !read_number(arguments[JOB_ARG_MEMORY_MB], &run->tool.memory_mb))
		return false;
	nonce = arguments[JOB_ARG_NONCE];
	run->arguments = arguments;
	run->watch.deadline_ms = run->tool.deadline_ms;
	run->tool.folder = arguments[JOB_ARG_FOLDER];
	run->tool.command = arguments + JOB_ARG_COMMAND;
	(void)snprintf(run->result_name, NAME_ROOM, "%s" JOB_RESULT_SUFFIX, nonce);
	(void)snprintf(run->new_name, NAME_ROOM, ".%s" JOB_RESULT_SUFFIX, nonce);
	(void)snprintf(run->folder_name, NAME_ROOM, "%s" JOB_FOLDER_SUFFIX, nonce);
	return true;
}

/* The tool gets none of our descriptors: they are what says that we live. */
static bool keep_descriptors(void)
{
	for (int fd = JOB_FD_STATE; fd < JOB_FD_END; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
			return false;
	(void)close_range(JOB_FD_END, ~0U, 0);
	return true;
}

/* Everything that may fail, before anything is started: also the room on disk that the result will need. */
static bool prepare(struct run *run)
{
	sigset_t ours;

	(void)sigemptyset(&ours);
	(void)sigaddset(&ours, SIGTERM);
	(void)sigaddset(&ours, SIGCHLD);
	(void)sigaddset(&ours, SIGINT);
	(void)sigaddset(&ours, SIGHUP);
	(void)sigprocmask(SIG_SETMASK, &ours, NULL);
	run->watch.signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	run->watch.timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	run->result = openat(JOB_FD_STATE, run->new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return run->watch.signals >= 0 && run->watch.timer >= 0 && run->result >= 0 &&
	       posix_fallocate(run->result, 0, RESULT_SIZE_MAX) == 0 && fsync(run->result) == 0;
}

/* From here on the gateway may have been touched, whatever happens to us. */
static bool mark_started(void)
{
	const size_t size = sizeof(JOB_MARK) - 1;

	return write(JOB_FD_JOB, JOB_MARK, size) == (ssize_t)size && fsync(JOB_FD_JOB) == 0;
}

static bool is_cancelled(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

static void run_tool(struct run *run)
{
	struct watch_report *report = &run->report;
	struct tool tool;
	int reason;

	if (mkdirat(JOB_FD_STATE, run->folder_name, 0700) != 0 && errno != EEXIST)
		reason = errno;
	else if (is_cancelled())
		reason = ECANCELED;
	else if (!mark_started())
		reason = EIO;
	else
		reason = tool_start(&run->tool, &tool);
	if (reason) {
		report->end = RESULT_NOT_STARTED;
		report->number = reason;
	} else {
		watch_tool(&run->watch, &tool, report);
	}
}

static int longer_first(const void *a, const void *b)
{
	size_t size_a = strlen(*(const char *const *)a);
	size_t size_b = strlen(*(const char *const *)b);

	return (size_a < size_b) - (size_a > size_b);
}

/* The values of the named variables, ended by NULL. `names` is cut into pieces. */
static void find_secrets(char *names, const char *secrets[SECRETS_MAX + 1])
{
	size_t count = 0;

	while (*names && count < SECRETS_MAX) {
		size_t size = strcspn(names, " ");
		char *next = names + size + (names[size] == ' ');

		names[size] = '\0';
		secrets[count] = getenv(names);
		if (secrets[count] && *secrets[count])
			count++;
		names = next;
	}
	secrets[count] = NULL;
	qsort(secrets, count, sizeof(secrets[0]), longer_first);
}

static size_t add_output(struct run *run, size_t used, struct tail *tail, const char *const *secrets)
{
	static const char cut[] = "[...]\n";

	if (tail->is_cut) {
		memcpy(run->output + used, cut, sizeof(cut) - 1);
		used += sizeof(cut) - 1;
	}
	tail->size = redact_text(tail->data, tail->size, secrets);
	memcpy(run->output + used, tail->data, tail->size);
	used += tail->size;
	if (tail->size && tail->data[tail->size - 1] != '\n')
		run->output[used++] = '\n';
	return used;
}

/* The result, whole or not at all: written, fsynced, renamed, the folder fsynced. */
static bool write_result(struct run *run)
{
	struct result result = {.end = run->report.end, .number = run->report.number, .found = run->report.found};
	const char *secrets[SECRETS_MAX + 1];
	size_t size;

	find_secrets(run->arguments[JOB_ARG_SECRETS], secrets);
	(void)snprintf(result.serial, sizeof(result.serial), "%s", run->arguments[JOB_ARG_SERIAL]);
	result.output = run->output;
	result.output_size = add_output(run, 0, &run->report.out, secrets);
	result.output_size = add_output(run, result.output_size, &run->report.err, secrets);
	size = result_print(&result, run->text, sizeof(run->text));
	return size && pwrite(run->result, run->text, size, 0) == (ssize_t)size && ftruncate(run->result, (off_t)size) == 0 &&
	       fsync(run->result) == 0 && renameat(JOB_FD_STATE, run->new_name, JOB_FD_STATE, run->result_name) == 0 &&
	       fsync(JOB_FD_STATE) == 0;
}

int main(int count, char **arguments)
{
	struct run *run = calloc(1, sizeof(*run));
	bool written;

	if (!run || !read_arguments(count, arguments, run)) {
		(void)fputs("pep-fcu-run: it is started by the fcu injector of pep-server, and by nobody else\n", stderr);
		free(run);
		return EXIT_USAGE;
	}
	written = keep_descriptors() && prepare(run);
	if (written) {
		run_tool(run);
		written = write_result(run);
		remove_tree(JOB_FD_STATE, run->folder_name);
	}
	free(run);
	return written ? EXIT_SUCCESS : EXIT_NO_RESULT;
}
