/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/file.h"

#include "cli/interrupt.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	char *target, *folder;
	char *temp;     /* before the swap the new contents, then the old ones; NULL: there is no such file */
	int fd;         /* of the new contents; -1: closed */
	bool was_there; /* the target, before */
	bool swapped;
};

static int fail(struct failure *err, const char *what, const char *path, int error)
{
	(void)failure_set(err, EXIT_LOCAL_FILE, "local_file", "cannot %s %s: %s; nothing was changed", what, path, strerror(error));
	return EXIT_LOCAL_FILE;
}

char *file_folder(const char *path)
{
	AUTO(free_ptr) char *copy = strdup(path);

	return copy ? realpath(dirname(copy), NULL) : NULL;
}

/* Where a path leads to: links are followed, as a shell's > does. NULL: errno. */
static char *resolve(const char *path)
{
	char *real = realpath(path, NULL);

	return real || errno != ENOENT ? real : strdup(path);
}

void file_flush_folder(const char *folder)
{
	AUTO(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Some file systems cannot; then there is nothing more to do. */
	if (fd >= 0)
		(void)fsync(fd);
}

/* A new empty file in the file's folder, with the mode that the target shall have. */
static int make_temp(struct file *file, mode_t mode)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	if (asprintf(&file->temp, "%s/.pep-cli-XXXXXX", file->folder) < 0) {
		file->temp = NULL;
		return ENOMEM;
	}
	file->fd = mkostemp(file->temp, O_CLOEXEC);
	if (file->fd < 0) {
		free(TAKE(file->temp));
		return errno;
	}
	return fchmod(file->fd, file->was_there ? mode : mode & ~mask) == 0 ? 0 : errno;
}

/* errno of what stands against replacing the target; 0: nothing. */
static int look_at_target(struct file *file, mode_t *mode)
{
	struct stat status;

	if (stat(file->target, &status) != 0)
		return errno == ENOENT ? 0 : errno;
	file->was_there = true;
	if (S_ISDIR(status.st_mode))
		return EISDIR;
	/* Renaming over a device or a pipe would remove it. */
	if (!S_ISREG(status.st_mode))
		return ENOTSUP;
	*mode = status.st_mode & 07777;
	return access(file->target, W_OK) == 0 ? 0 : errno;
}

static int begin(struct file *file, const char *path, mode_t mode, struct failure *err)
{
	int error;

	file->fd = -1;
	file->target = resolve(path);
	file->folder = file->target ? file_folder(file->target) : NULL;
	if (!file->folder)
		return fail(err, "write", path, errno);
	error = look_at_target(file, &mode);
	if (error)
		return fail(err, "write", path, error);
	error = make_temp(file, mode);
	return error ? fail(err, "write a new file for", path, error) : EXIT_OK;
}

int file_begin(const char *path, mode_t mode, struct file **ret_file, struct failure *err)
{
	struct file *file = calloc(1, sizeof(*file));
	int code;

	if (!file)
		return fail(err, "write", path, ENOMEM);
	code = begin(file, path, mode, err);
	if (code == EXIT_OK)
		*ret_file = file;
	else
		file_drop(&file);
	return code;
}

int file_check(const char *path, struct failure *err)
{
	AUTO(file_drop) struct file *file = NULL;

	return file_begin(path, 0666, &file, err);
}

int file_write(struct file *file, const void *data, size_t size, struct failure *err)
{
	const char *next = data;
	ssize_t written;

	while (size) {
		written = write(file->fd, next, size);
		if (written < 0 && errno == EINTR && interrupt_signal())
			return interrupt_failure(err);
		if (written < 0 && errno != EINTR)
			return fail(err, "write", file->target, errno);
		if (written < 0)
			continue;
		next += written;
		size -= (size_t)written;
	}
	return EXIT_OK;
}

/* Takes the target's place. 0 or errno. */
static int swap_one(struct file *file)
{
	AUTO(free_ptr) char *old = NULL;

	if (!file->was_there) {
		if (rename(file->temp, file->target) != 0)
			return errno;
		free(TAKE(file->temp));
		file->swapped = true;
		return 0;
	}
	if (renameat2(AT_FDCWD, file->temp, AT_FDCWD, file->target, RENAME_EXCHANGE) == 0) {
		file->swapped = true;
		return 0;
	}
	/* Not every file system exchanges. A second name keeps the old contents too. */
	if (asprintf(&old, "%s.old", file->temp) < 0) {
		old = NULL;
		return ENOMEM;
	}
	if (link(file->target, old) != 0)
		free(TAKE(old));
	if (rename(file->temp, file->target) != 0) {
		int error = errno;

		if (old)
			(void)unlink(old);
		return error;
	}
	free(file->temp);
	file->temp = TAKE(old);
	file->swapped = true;
	return 0;
}

static int flush(struct file *file)
{
	int fd = file->fd;

	if (fsync(fd) != 0)
		return errno;
	file->fd = -1;
	/* Network file systems tell of a full disk here. */
	return close(fd) == 0 ? 0 : errno;
}

int file_swap(struct file **files, size_t count, struct failure *err)
{
	int error;

	for (size_t i = 0; i < count; i++) {
		error = flush(files[i]);
		if (error)
			return fail(err, "write", files[i]->target, error);
	}
	if (interrupt_signal())
		return interrupt_failure(err);
	for (size_t i = 0; i < count; i++) {
		error = swap_one(files[i]);
		if (error) {
			file_undo(files, i);
			return fail(err, "replace", files[i]->target, error);
		}
	}
	for (size_t i = 0; i < count; i++)
		file_flush_folder(files[i]->folder);
	return EXIT_OK;
}

void file_undo(struct file **files, size_t count)
{
	for (size_t i = count; i-- > 0;) {
		if (!files[i]->swapped)
			continue;
		if (!files[i]->was_there)
			(void)unlink(files[i]->target);
		else if (files[i]->temp && rename(files[i]->temp, files[i]->target) == 0)
			free(TAKE(files[i]->temp));
		files[i]->swapped = false;
		file_flush_folder(files[i]->folder);
	}
}

void file_keep(struct file **files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!files[i]->temp)
			continue;
		(void)unlink(files[i]->temp);
		free(TAKE(files[i]->temp));
		file_flush_folder(files[i]->folder);
	}
}

void file_drop(struct file **file)
{
	struct file *dropped = TAKE(*file);

	if (!dropped)
		return;
	if (dropped->fd >= 0)
		(void)close(dropped->fd);
	if (dropped->temp)
		(void)unlink(dropped->temp);
	free(dropped->temp);
	free(dropped->target);
	free(dropped->folder);
	free(dropped);
}

int file_save_private(const char *path, const void *data, size_t size, struct failure *err)
{
	AUTO(file_drop) struct file *file = NULL;
	int code = file_begin(path, 0600, &file, err);

	if (code == EXIT_OK && fchmod(file->fd, 0600) != 0)
		code = fail(err, "protect", path, errno);
	if (code == EXIT_OK)
		code = file_write(file, data, size, err);
	if (code == EXIT_OK)
		code = file_swap(&file, 1, err);
	if (code == EXIT_OK)
		file_keep(&file, 1);
	return code;
}

int file_load_private(const char *path, size_t limit, char **ret_data, size_t *ret_size)
{
	AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	AUTO(free_ptr) char *data = NULL;
	struct stat status;
	ssize_t got;

	if (fd < 0 || fstat(fd, &status) != 0)
		return errno;
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022) || status.st_size > (off_t)limit)
		return EPERM;
	data = malloc((size_t)status.st_size + 1);
	if (!data)
		return ENOMEM;
	/* Replaced whole, never written in place: one read gets it all. */
	got = read(fd, data, (size_t)status.st_size);
	if (got != status.st_size)
		return got < 0 ? errno : EIO;
	data[got] = '\0';
	*ret_size = (size_t)got;
	*ret_data = TAKE(data);
	return 0;
}
