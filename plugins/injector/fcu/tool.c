/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES_MAX = 256, FILE_SIZE_MAX = 64 << 20, ROUNDS = 10000, ALARM_LATE_S = 5 };

/* Both limits, never above what there is already. */
static bool limit(__rlimit_resource_t resource, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(resource, &now) != 0)
		return false;
	if (now.rlim_max > most)
		now.rlim_max = most;
	now.rlim_cur = now.rlim_max;
	return setrlimit(resource, &now) == 0;
}

static bool limit_all(const struct tool_plan *plan)
{
	int64_t left_ms = plan->deadline_ms - boot_ms();

	return limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, FILES_MAX) && limit(RLIMIT_FSIZE, FILE_SIZE_MAX) &&
	       limit(RLIMIT_CPU, left_ms > 0 ? (rlim_t)(left_ms / 1000 + 1) : 1) &&
	       (plan->memory_mb == 0 || limit(RLIMIT_AS, (rlim_t)plan->memory_mb << 20));
}

/* SIGALRM, which outlives execve(), ends the tool if its runner is stopped and cannot. */
static void set_alarm(int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - boot_ms();

	(void)alarm((unsigned)(left_ms > 0 ? left_ms / 1000 : 0) + ALARM_LATE_S);
}

/* In the child. Every call here may be made between fork() and execve(). */
static int become(const struct tool_plan *plan, pid_t runner, const int streams[2])
{
	sigset_t none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || setpgid(0, 0) != 0)
		return errno;
	if (getppid() != runner)
		return ESRCH; /* it died before we asked to die with it */
	if (dup2(streams[0], STDOUT_FILENO) < 0 || dup2(streams[1], STDERR_FILENO) < 0 || chdir(plan->folder) != 0 ||
	    !limit_all(plan))
		return errno;
	/* One that became another user could not be ended. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return errno;
	set_alarm(plan->deadline_ms);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Nothing but the clock stands between here and its first byte to the gateway. */
	if (boot_ms() >= plan->deadline_ms)
		return ETIME;
	(void)execve(plan->command[0], plan->command, environ);
	return errno;
}

static _Noreturn void run_child(const struct tool_plan *plan, pid_t runner, const int streams[2], int report)
{
	int reason = become(plan, runner, streams);

	if (write(report, &reason, sizeof(reason)) != (ssize_t)sizeof(reason))
		_exit(126);
	_exit(127);
}

static void close_both(const int ends[2])
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* What the child reported before its execve(); 0: it is the tool now. */
static int read_report(int report)
{
	int reason = 0;
	ssize_t size;

	do
		size = read(report, &reason, sizeof(reason));
	while (size < 0 && errno == EINTR);
	if (size == 0)
		return 0;
	return size == (ssize_t)sizeof(reason) ? reason : EIO;
}

static int fork_tool(const struct tool_plan *plan, const int out[2], const int err[2], pid_t *ret_pid)
{
	const int streams[2] = {out[1], err[1]};
	pid_t runner = getpid();
	int report[2];
	int reason;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) != 0)
		return errno;
	pid = fork();
	if (pid == 0)
		run_child(plan, runner, streams, report[1]);
	reason = pid < 0 ? errno : 0;
	(void)close(report[1]);
	if (pid > 0) {
		reason = read_report(report[0]);
		if (reason)
			(void)waitpid(pid, NULL, 0);
	}
	(void)close(report[0]);
	*ret_pid = pid;
	return reason;
}

int tool_start(const struct tool_plan *plan, struct tool *ret_tool)
{
	int out[2];
	int err[2];
	int reason;

	/* What a daemon of the tool leaves behind comes to us, so that it can be ended. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return errno;
	if (pipe2(err, O_CLOEXEC) != 0) {
		reason = errno;
		close_both(out);
		return reason;
	}
	/* Before the start: what fails behind it can no longer be called "not started". */
	if (fcntl(out[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(err[0], F_SETFL, O_NONBLOCK) != 0)
		reason = errno;
	else
		reason = fork_tool(plan, out, err, &ret_tool->pid);
	(void)close(out[1]);
	(void)close(err[1]);
	if (reason) {
		(void)close(out[0]);
		(void)close(err[0]);
		return reason;
	}
	ret_tool->out = out[0];
	ret_tool->err = err[0];
	return 0;
}

void tool_signal(const struct tool *tool, int number)
{
	(void)kill(-tool->pid, number);
	/* It may have left its group; who is in it must not be told twice to stop. */
	if (getpgid(tool->pid) != tool->pid)
		(void)kill(tool->pid, number);
}

/* How many children there were to kill. */
static unsigned kill_children(void)
{
	char path[64];
	unsigned count = 0;
	FILE *list;
	int pid;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	list = fopen(path, "re");
	if (!list)
		return 0;
	while (fscanf(list, "%d", &pid) == 1) { /* NOLINT(cert-err34-c): the kernel's own numbers */
		(void)kill(pid, SIGKILL);
		count++;
	}
	(void)fclose(list);
	return count;
}

void tool_end_all(const struct tool *tool)
{
	/* While it is not reaped, nobody else can have its number. */
	tool_signal(tool, SIGKILL);
	(void)waitpid(tool->pid, NULL, 0);
	/* The children of a child become ours when it ends. */
	for (unsigned round = 0; round < ROUNDS && kill_children(); round++)
		(void)waitpid(-1, NULL, 0);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}
