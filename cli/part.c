/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/part.h"

#include "cli/file.h"
#include "cli/interrupt.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct failure *err, const char *what, const char *path, int error)
{
	return failure_set(err, EXIT_LOCAL_FILE, "local_file", "cannot %s %s: %s; what was complete before it stays", what, path,
			   strerror(error));
}

/* The caller frees it; NULL: out of memory. */
static char *path_of(const char *folder, const char *name, int64_t number, const char *suffix)
{
	char *path;

	return asprintf(&path, "%s/%s-%04" PRId64 "%s%s", folder, name, number, *suffix ? "." : "", suffix) < 0 ? NULL : path;
}

/* Takes over the path; NULL: out of memory. */
static int begin_at(char *path, mode_t mode, struct part *ret_part, struct failure *err)
{
	AUTO(free_ptr) char *owned = path;
	int fd;

	if (!path)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	/* A left one is removed, not emptied: it might be a link, or of another mode. */
	if (unlink(path) != 0 && errno != ENOENT)
		return fail(err, "replace", path, errno);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return fail(err, "make", path, errno);
	*ret_part = (struct part){.path = TAKE(owned), .fd = fd};
	return EXIT_OK;
}

int part_begin(const char *folder, const char *name, int64_t number, struct part *ret_part, struct failure *err)
{
	return begin_at(path_of(folder, name, number, "part"), 0666, ret_part, err);
}

int part_write(struct part *part, const void *data, size_t size, struct failure *err)
{
	const char *next = data;

	part->size += (int64_t)size;
	while (size) {
		ssize_t written = write(part->fd, next, size);

		if (written < 0 && errno == EINTR && interrupt_signal())
			return interrupt_failure(err);
		if (written < 0 && errno != EINTR)
			return fail(err, "write", part->path, errno);
		if (written < 0)
			continue;
		next += written;
		size -= (size_t)written;
	}
	return EXIT_OK;
}

int part_complete(struct part *part, const char *folder, struct failure *err)
{
	int fd = part->fd;

	if (fsync(fd) != 0)
		return fail(err, "write", part->path, errno);
	/* Network file systems tell of a full disk here. */
	part->fd = -1;
	if (close(fd) != 0)
		return fail(err, "write", part->path, errno);
	file_flush_folder(folder);
	return EXIT_OK;
}

void part_drop(struct part *part)
{
	close_fd(&part->fd);
	if (part->path && !part->is_kept)
		(void)unlink(part->path);
	free(part->path);
	*part = (struct part){.fd = -1};
}

/* Sets errno to EEXIST if not. */
static bool is_same(const char *path, const char *other)
{
	struct stat a, b;
	bool same = lstat(path, &a) == 0 && lstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;

	errno = EEXIST;
	return same;
}

/* Without replacing anything. 0, or the errno. */
static int rename_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	/* This file system cannot; then a second name first, which is refused if it is taken. By itself, if an earlier try was killed here. */
	if (link(from, to) != 0 && (errno != EEXIST || !is_same(from, to)))
		return errno;
	return unlink(from) == 0 ? 0 : errno;
}

int part_publish(const char *folder, const char *name, int64_t number, const char *suffix, struct failure *err)
{
	AUTO(free_ptr) char *part = path_of(folder, name, number, "part"), *path = path_of(folder, name, number, suffix);
	int error;

	if (!part || !path)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	error = rename_new(part, path);
	if (error == ENOENT)
		return EXIT_OK;
	if (error == EEXIST)
		return failure_set(err, EXIT_LOCAL_FILE, "local_file",
				   "%s is there, and not of this export; move it away and run the same command again", path);
	if (error)
		return fail(err, "name", path, error);
	file_flush_folder(folder);
	return EXIT_OK;
}

int part_save(const char *path, const void *data, size_t size, struct failure *err)
{
	AUTO(part_drop) struct part part = {.fd = -1};
	AUTO(free_ptr) char *folder = file_folder(path);
	char *temp;
	int code;

	if (!folder)
		return fail(err, "write", path, errno);
	code = begin_at(asprintf(&temp, "%s.part", path) < 0 ? NULL : temp, 0600, &part, err);
	if (code == EXIT_OK)
		code = part_write(&part, data, size, err);
	if (code == EXIT_OK)
		code = part_complete(&part, folder, err);
	if (code != EXIT_OK)
		return code;
	if (rename(part.path, path) != 0)
		return fail(err, "replace", path, errno);
	part.is_kept = true;
	file_flush_folder(folder);
	return EXIT_OK;
}
