/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/process.h"

#include "cli/interrupt.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_STARTED 127

static void free_actions(posix_spawn_file_actions_t *actions)
{
	(void)posix_spawn_file_actions_destroy(actions);
}

static void free_attributes(posix_spawnattr_t *attributes)
{
	(void)posix_spawnattr_destroy(attributes);
}

/* -1: not started. */
static pid_t start(const char *const *argv, int output)
{
	AUTO(free_actions) posix_spawn_file_actions_t actions;
	AUTO(free_attributes) posix_spawnattr_t attributes;
	sigset_t defaults;
	pid_t pid;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	/* We ignore SIGPIPE; a child would inherit that. */
	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGPIPE);
	if (posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) != 0 ||
	    posix_spawnattr_setsigdefault(&attributes, &defaults) != 0 ||
	    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF) != 0)
		return -1;
	/* posix_spawnp() takes char *const * for history's sake and changes nothing. */
	if (posix_spawnp(&pid, argv[0], &actions, &attributes, (char *const *)(void *)argv, environ) != 0)
		return -1;
	return pid;
}

/* At a terminal the child has got the signal itself; from kill(1) it has not. */
static void pass_signal(pid_t pid, bool *passed)
{
	if (!interrupt_signal() || *passed)
		return;
	*passed = true;
	(void)kill(pid, interrupt_signal());
}

/* Reads to the end; keeps the first line. */
static void read_line(pid_t pid, int fd, char *line, size_t room, bool *passed)
{
	size_t size = 0;
	bool whole = false;
	char part[512];
	ssize_t got;

	while ((got = read(fd, part, sizeof(part))) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		if (got < 0)
			pass_signal(pid, passed);
		for (ssize_t i = 0; i < got && !whole; i++) {
			whole = part[i] == '\n' || size + 1 >= room;
			if (!whole)
				line[size++] = part[i];
		}
	}
	line[size] = '\0';
	explicit_bzero(part, sizeof(part));
}

int process_run(const char *const *argv, char *ret_line, size_t room)
{
	bool passed = interrupt_signal() != 0; /* one that came before is no matter of this child */
	int ends[2], status;
	pid_t pid;

	ret_line[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) != 0)
		return NOT_STARTED;
	pid = start(argv, ends[1]);
	(void)close(ends[1]);
	if (pid > 0)
		read_line(pid, ends[0], ret_line, room, &passed);
	(void)close(ends[0]);
	if (pid <= 0)
		return NOT_STARTED;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return NOT_STARTED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
