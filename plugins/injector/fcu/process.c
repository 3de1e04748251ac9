/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include "command.h"
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUMBER_ROOM = 24 };

struct numbers {
	char deadline[NUMBER_ROOM], grace[NUMBER_ROOM], memory[NUMBER_ROOM];
};

static char *print_number(char text[NUMBER_ROOM], int64_t number)
{
	(void)snprintf(text, NUMBER_ROOM, "%" PRId64, number);
	return text;
}

/* posix_spawn() takes texts that it does not change as char *. */
static char *borrow(const char *text)
{
	union {
		const char *given;
		char *taken;
	} same = {.given = text};

	return same.taken;
}

static void fill_arguments(const struct process_plan *plan, struct numbers *numbers,
			   char *arguments[JOB_ARG_COMMAND + COMMAND_WORDS_MAX + 1])
{
	size_t count = 0;

	arguments[0] = borrow(plan->runner);
	arguments[JOB_ARG_NONCE] = borrow(plan->nonce);
	arguments[JOB_ARG_SERIAL] = borrow(plan->serial);
	arguments[JOB_ARG_DEADLINE_MS] = print_number(numbers->deadline, plan->deadline_ms);
	arguments[JOB_ARG_GRACE_MS] = print_number(numbers->grace, plan->grace_ms);
	arguments[JOB_ARG_MEMORY_MB] = print_number(numbers->memory, plan->memory_mb);
	arguments[JOB_ARG_SECRETS] = borrow(plan->secrets);
	arguments[JOB_ARG_FOLDER] = borrow(plan->home);
	for (; count < COMMAND_WORDS_MAX && plan->command[count]; count++)
		arguments[JOB_ARG_COMMAND + count] = plan->command[count];
	arguments[JOB_ARG_COMMAND + count] = NULL;
}

/* Above those numbers that the runner gets them under, so that none overwrites another. */
static int lift(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, JOB_FD_END);
}

static int spawn(const struct process_plan *plan, char *const *arguments, const int given[3], pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t signals;
	int reason = posix_spawn_file_actions_init(&files);

	if (reason)
		return reason;
	reason = posix_spawnattr_init(&attributes);
	if (reason) {
		(void)posix_spawn_file_actions_destroy(&files);
		return reason;
	}
	(void)sigfillset(&signals);
	(void)posix_spawnattr_setsigdefault(&attributes, &signals);
	/* A request to stop waits until the runner can read it. */
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)posix_spawnattr_setsigmask(&attributes, &signals);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
	for (int fd = STDIN_FILENO; !reason && fd <= STDERR_FILENO; fd++)
		reason = posix_spawn_file_actions_addopen(&files, fd, "/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
	for (int i = 0; !reason && i < 3; i++)
		reason = posix_spawn_file_actions_adddup2(&files, given[i], JOB_FD_STATE + i);
	if (!reason)
		reason = posix_spawn(ret_pid, plan->runner, &files, &attributes, arguments, plan->environment);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	return reason;
}

static void close_all(const int fds[3])
{
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

pep_status process_start(const struct process_plan *plan, struct process *ret_process, struct pep_error *err)
{
	char *arguments[JOB_ARG_COMMAND + COMMAND_WORDS_MAX + 1];
	struct numbers numbers;
	int ends[2] = {-1, -1};
	int given[3] = {lift(plan->state_folder), lift(plan->job), -1};
	int reason = given[0] < 0 || given[1] < 0 || pipe2(ends, O_CLOEXEC) != 0 ? errno : 0;

	fill_arguments(plan, &numbers, arguments);
	if (!reason) {
		given[2] = lift(ends[1]);
		reason = given[2] < 0 ? errno : spawn(plan, arguments, given, &ret_process->pid);
	}
	close_all(given);
	if (ends[1] >= 0)
		(void)close(ends[1]);
	if (reason) {
		if (ends[0] >= 0)
			(void)close(ends[0]);
		return pep_fail(err, PEP_INTERNAL, reason, "fcu: the runner %s cannot be started: %s", plan->runner,
				strerror(reason));
	}
	ret_process->alive = ends[0];
	return PEP_OK;
}

static void reap(struct process *process)
{
	(void)close(process->alive);
	process->alive = -1;
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

bool process_wait(struct process *process, int timeout_ms)
{
	struct pollfd alive = {.fd = process->alive, .events = POLLIN};

	if (process->alive >= 0 && poll(&alive, 1, timeout_ms) > 0)
		reap(process);
	return process->alive < 0;
}

void process_cancel(const struct process *process)
{
	if (process->alive >= 0)
		(void)kill(process->pid, SIGTERM);
}

void process_kill(struct process *process)
{
	if (process->alive < 0)
		return;
	(void)kill(process->pid, SIGKILL);
	reap(process);
}
