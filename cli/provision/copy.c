/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/copy.h"

#include "core/base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static DIR *open_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

	if (fd >= 0 && !folder)
		(void)close(fd);
	return folder;
}

/* The next entry that is not the folder itself or the one above; NULL: no more. */
static const struct dirent *next_entry(DIR *folder)
{
	const struct dirent *entry;

	do
		entry = readdir(folder);
	while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry;
}

static int copy_bytes(int from, int to)
{
	char part[16384];
	ssize_t got, written;

	while ((got = read(from, part, sizeof(part))) != 0) {
		if (got < 0 && errno != EINTR)
			return errno;
		for (ssize_t at = 0; at < got; at += written) {
			written = write(to, part + at, (size_t)(got - at));
			if (written < 0 && errno != EINTR)
				return errno;
			written = written < 0 ? 0 : written;
		}
	}
	explicit_bzero(part, sizeof(part));
	return fsync(to) == 0 ? 0 : errno;
}

/* Owner and mode of what is copied; a user who may not give away keeps it. */
static int dress(int fd, const struct stat *status)
{
	if (fchown(fd, status->st_uid, status->st_gid) != 0 && errno != EPERM)
		return errno;
	return fchmod(fd, status->st_mode & 07777) == 0 ? 0 : errno;
}

static int copy_file(int from_parent, int to_parent, const char *name, const struct stat *status)
{
	AUTO(close_fd) int from = openat(from_parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO(close_fd) int to = openat(to_parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int error;

	if (from < 0 || to < 0)
		return errno;
	error = copy_bytes(from, to);
	return error ? error : dress(to, status);
}

int copy_folder(int from_parent, const char *from_name, int to_parent, const char *to_name)
{
	AUTO(close_folder) DIR *folder = open_folder(from_parent, from_name);
	AUTO(close_fd) int to = -1;
	const struct dirent *entry;
	struct stat status;
	int error = 0;

	if (!folder || mkdirat(to_parent, to_name, 0700) != 0)
		return errno;
	to = openat(to_parent, to_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return errno;
	while (!error && (entry = next_entry(folder))) {
		if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
			return errno;
		if (S_ISDIR(status.st_mode))
			error = copy_folder(dirfd(folder), entry->d_name, to, entry->d_name);
		else if (S_ISREG(status.st_mode))
			error = copy_file(dirfd(folder), to, entry->d_name, &status);
		else
			error = ELOOP;
	}
	if (!error && fstat(dirfd(folder), &status) != 0)
		error = errno;
	if (!error)
		error = dress(to, &status);
	return error || fsync(to) == 0 ? error : errno;
}

void copy_flush(int parent, const char *name)
{
	AUTO(close_folder) DIR *folder = open_folder(parent, name);
	const struct dirent *entry;
	struct stat status;

	while (folder && (entry = next_entry(folder))) {
		AUTO(close_fd) int fd = -1;

		if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(status.st_mode))
			copy_flush(dirfd(folder), entry->d_name);
		if (!S_ISREG(status.st_mode))
			continue;
		fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			(void)fsync(fd);
	}
	if (folder)
		(void)fsync(dirfd(folder));
}
