/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/child.h"

#include "core/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Our environment without the token, then the extra ones, which win. Only the list is new. */
static const char **make_environment(const char *const *extra)
{
	size_t count = 0, used = 0;
	const char **list;

	while (environ[count])
		count++;
	for (size_t i = 0; extra && extra[i]; i++)
		count++;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return NULL;
	for (size_t i = 0; extra && extra[i]; i++)
		list[used++] = extra[i];
	for (char **entry = environ; *entry; entry++) {
		size_t name_size = strcspn(*entry, "=") + 1;
		bool hidden = strncmp(*entry, "PEP_TOKEN=", 10) == 0;

		for (size_t i = 0; extra && extra[i]; i++)
			hidden |= strncmp(*entry, extra[i], name_size) == 0;
		if (!hidden)
			list[used++] = *entry;
	}
	return list;
}

/* In the child: nothing but what may be called between fork() and exec() of a program with threads. */
static void become(const struct child_call *call, const char *const *environment, pid_t parent)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	int output = call->terminal >= 0 ? call->terminal : call->quiet ? nowhere : STDERR_FILENO;
	sigset_t none;

	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return;
	if (call->terminal >= 0)
		(void)ioctl(call->terminal, TIOCSCTTY, 0);
	(void)sigaction(SIGPIPE, &action, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    ((call->terminal >= 0 || call->quiet) && dup2(output, STDERR_FILENO) < 0) || (call->folder && chdir(call->folder) != 0))
		return;
	/* execvpe() takes char *const * for history's sake and changes nothing. */
	(void)execvpe(call->argv[0], (char *const *)(void *)call->argv, (char *const *)(void *)environment);
}

/* What the child says if it became nothing; 0: it has become the program, and the pipe is closed. */
static int why_not(int fd)
{
	int error = 0;
	ssize_t got;

	do
		got = read(fd, &error, sizeof(error));
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof(error) ? error : 0;
}

pid_t child_start(const struct child_call *call)
{
	AUTO(free_ptr) const char **environment = make_environment(call->extra);
	pid_t parent = getpid(), pid;
	int ends[2], error, status;

	if (!environment) {
		errno = ENOMEM;
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		become(call, environment, parent);
		error = errno;
		_exit(write(ends[1], &error, sizeof(error)) == (ssize_t)sizeof(error) ? 127 : 126);
	}
	error = pid < 0 ? errno : 0;
	(void)close(ends[1]);
	if (pid > 0)
		error = why_not(ends[0]);
	(void)close(ends[0]);
	if (!error)
		return pid;
	if (pid > 0)
		(void)child_wait(pid, INT64_C(60000), &status);
	errno = error;
	return -1;
}

bool child_wait(pid_t pid, int64_t limit_ms, int *ret_status)
{
	int64_t deadline_ms = now_ms() + limit_ms, left_ms;
	sigset_t child, before;
	bool ended = false;
	pid_t got;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	/* Blocked first, looked at second: an end in between stays pending and is found by the wait. */
	(void)sigprocmask(SIG_BLOCK, &child, &before);
	for (;;) {
		got = waitpid(pid, ret_status, WNOHANG);
		ended = got == pid || (got < 0 && errno != EINTR);
		left_ms = deadline_ms - now_ms();
		if (ended || left_ms <= 0)
			break;
		(void)sigtimedwait(&child, NULL, &(struct timespec){left_ms / 1000, (long)(left_ms % 1000) * 1000000});
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return ended;
}

void child_end(pid_t pid, int64_t grace_ms)
{
	int status;

	(void)kill(-pid, SIGTERM);
	if (!child_wait(pid, grace_ms, &status)) {
		(void)kill(-pid, SIGKILL);
		(void)kill(pid, SIGKILL);
		(void)child_wait(pid, INT64_C(60000), &status);
		return;
	}
	/* What it had started and left behind. */
	(void)kill(-pid, SIGKILL);
}
