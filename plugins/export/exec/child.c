/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

void child_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Above the numbers that the program gets them under, so that none overwrites another. */
static int lift(int *fd)
{
	int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	child_close(fd);
	*fd = lifted;
	return lifted < 0 ? errno : 0;
}

/* 0, or an errno. ret_ends[i]: ours is i, theirs 3 + i, for standard input, output and error. */
static int make_pipes(int ret_ends[6])
{
	for (int i = 0; i < 3; i++) {
		int pair[2];
		int reason;

		if (pipe2(pair, O_CLOEXEC) != 0)
			return errno;
		ret_ends[i] = pair[i == 0];
		ret_ends[3 + i] = pair[i != 0];
		reason = lift(&ret_ends[3 + i]);
		if (reason)
			return reason;
		if (fcntl(ret_ends[i], F_SETFL, O_NONBLOCK) != 0)
			return errno;
	}
	return 0;
}

static int set_files(posix_spawn_file_actions_t *files, const int ends[6])
{
	int reason = 0;

	for (int i = 0; i < 3 && !reason; i++)
		reason = posix_spawn_file_actions_adddup2(files, ends[3 + i], i);
	/* Whatever a library forgot to close. */
	if (!reason)
		reason = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
	return reason ? reason : posix_spawn_file_actions_addchdir_np(files, "/");
}

static int spawn(char *const *command, char *const *environment, const int ends[6], pid_t *ret_pid)
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
	(void)sigemptyset(&signals);
	(void)posix_spawnattr_setsigmask(&attributes, &signals);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	reason = set_files(&files, ends);
	if (!reason)
		reason = posix_spawn(ret_pid, command[0], &files, &attributes, command, environment);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	return reason;
}

pep_status child_start(char *const *command, char *const *environment, struct child *ret_child, struct pep_error *err)
{
	int ends[6] = {-1, -1, -1, -1, -1, -1};
	pid_t pid = 0;
	int reason = make_pipes(ends);

	if (!reason)
		reason = spawn(command, environment, ends, &pid);
	for (int i = 3; i < 6; i++)
		child_close(&ends[i]);
	if (reason) {
		for (int i = 0; i < 3; i++)
			child_close(&ends[i]);
		return pep_fail(err, PEP_INTERNAL, reason, "exec: %.200s cannot be started: %s", command[0], strerror(reason));
	}
	*ret_child = (struct child){.pid = pid, .in = ends[0], .out = ends[1], .err = ends[2], .ended = pidfd_open(pid, 0)};
	return PEP_OK;
}

bool child_has_ended(const struct child *child)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

bool child_has_failed(const struct child *child)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0 &&
	       (info.si_code != CLD_EXITED || info.si_status != 0);
}

int child_end(struct child *child)
{
	int status = -1;

	child_close(&child->in);
	child_close(&child->out);
	child_close(&child->err);
	child_close(&child->ended);
	if (child->pid <= 0)
		return -1;
	/* While it is not reaped, nobody else can have its number. */
	(void)kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	return status;
}
