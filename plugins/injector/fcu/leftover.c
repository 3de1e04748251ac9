/* SPDX-License-Identifier: Apache-2.0 */
#include "leftover.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAME_ROOM = 4200, ENVIRONMENT_MAX = 1 << 16, ROUNDS = 20, END_MS = 100 };

/* Is one of the texts `variable`? They follow each other, each with its NUL. */
static bool has_text(const char *texts, size_t size, const char *variable)
{
	size_t wanted = strlen(variable) + 1;

	for (const char *end = texts + size; texts < end;) {
		const char *stop = memchr(texts, '\0', (size_t)(end - texts));

		if (!stop)
			return false;
		if ((size_t)(stop + 1 - texts) == wanted && memcmp(texts, variable, wanted) == 0)
			return true;
		texts = stop + 1;
	}
	return false;
}

/* One that has ended, or is another user's, has no environment that can be read. */
static bool was_given(int proc, const char *pid, const char *variable, char *texts)
{
	char name[64];
	size_t size = 0;
	ssize_t part = 0;
	int fd;

	(void)snprintf(name, sizeof(name), "%.32s/environ", pid);
	fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (size < ENVIRONMENT_MAX && (part = read(fd, texts + size, ENVIRONMENT_MAX - size)) > 0)
		size += (size_t)part;
	(void)close(fd);
	return has_text(texts, size, variable);
}

/* The handle is taken before the look: what is looked at is what is killed. */
static bool kill_if_given(int proc, const char *pid, const char *variable, char *texts)
{
	int handle = (int)syscall(SYS_pidfd_open, (pid_t)strtol(pid, NULL, 10), 0);
	bool is_given;

	if (handle < 0)
		return false;
	is_given = was_given(proc, pid, variable, texts);
	if (is_given && syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0) == 0) {
		struct pollfd end = {.fd = handle, .events = POLLIN};

		/* Its environment goes before its sockets do. */
		(void)poll(&end, 1, END_MS);
	}
	(void)close(handle);
	return is_given;
}

/* How many there were. */
static unsigned kill_all(const char *variable, char *texts)
{
	DIR *proc = opendir("/proc");
	unsigned count = 0;

	if (!proc)
		return 1; /* for all we know */
	for (const struct dirent *entry = readdir(proc); entry; entry = readdir(proc))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    kill_if_given(dirfd(proc), entry->d_name, variable, texts))
			count++;
	(void)closedir(proc);
	return count;
}

bool leftover_kill(const char *folder)
{
	char *texts = malloc(ENVIRONMENT_MAX);
	char variable[NAME_ROOM];
	int size = snprintf(variable, sizeof(variable), "TMPDIR=%s", folder);
	unsigned left = texts && size > 0 && (size_t)size < sizeof(variable) ? 1 : 0;
	bool done = left != 0;

	/* Again until a look finds none: they may have started others meanwhile. */
	for (unsigned round = 0; left && round < ROUNDS; round++)
		left = kill_all(variable, texts);
	free(texts);
	return done && !left;
}
