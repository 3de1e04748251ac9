/* SPDX-License-Identifier: Apache-2.0 */
#include "core/access/roster_file.h"

#include "core/base/cleanup.h"
#include "core/base/private_file.h"
#include "core/config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#define FILE_LIMIT ((size_t)4 * 1024 * 1024)

static pep_status cannot(const char *what, const char *path, struct pep_error *err)
{
	return pep_fail(err, errno == ENOENT ? PEP_NOT_FOUND : PEP_UNAVAILABLE, errno, "%s: cannot %s: %s", path, what,
			strerror(errno));
}

/* To whom the folder belongs, if we are root. */
static void give_away(int fd, const char *owner_like)
{
	struct stat about;

	if (geteuid() == 0 && stat(owner_like, &about) == 0 && fchown(fd, about.st_uid, about.st_gid) != 0)
		return; /* then it is root's, and the server says what is wrong with it */
}

static int open_file(const char *path, const char *owner_like)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0 || errno != ENOENT || !owner_like)
		return fd;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST)
		return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0)
		give_away(fd, owner_like);
	return fd;
}

/* Until the file that we have locked is the one that has the name: somebody may have put another in its place while we waited. */
static pep_status lock_file(const char *path, const char *owner_like, struct roster_file *file, struct pep_error *err)
{
	for (;;) {
		struct stat named;

		file->fd = open_file(path, owner_like);
		if (file->fd < 0)
			return cannot(owner_like ? "open or make the file of tokens (is its folder there?)"
						 : "open the file of tokens",
				      path, err);
		while (flock(file->fd, LOCK_EX) != 0)
			if (errno != EINTR)
				return cannot("lock", path, err);
		if (fstat(file->fd, &file->about) != 0)
			return cannot("look at", path, err);
		if (stat(path, &named) == 0 && named.st_dev == file->about.st_dev && named.st_ino == file->about.st_ino)
			return PEP_OK;
		(void)close(file->fd);
		file->fd = -1;
	}
}

/* Root may change it for its owner, but nobody else may have had his hands in it. */
static const char *fault_of(const struct stat *about)
{
	if (geteuid() == 0 && !(about->st_mode & (S_IRWXG | S_IRWXO)))
		return NULL;
	return private_file_fault(about);
}

static pep_status read_file(struct roster_file *file, struct pep_error *err)
{
	AUTO(free_ptr) char *text = NULL;
	const char *fault = fault_of(&file->about);
	size_t size = 0;
	pep_status status;

	if (fault)
		return pep_fail(err, PEP_INVALID, 0, "%s: says who is let in, but %s", file->path, fault);
	status = file_read(file->path, FILE_LIMIT, &text, &size, err);
	return status == PEP_OK ? roster_parse(file->path, text, size, &file->roster, err) : status;
}

pep_status roster_file_open(const char *path, const char *owner_like, struct roster_file *ret_file, struct pep_error *err)
{
	pep_status status;

	*ret_file = (struct roster_file){.fd = -1, .path = strdup(path)};
	if (!ret_file->path)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = lock_file(path, owner_like, ret_file, err);
	return status == PEP_OK ? read_file(ret_file, err) : status;
}

static bool write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		data += done;
		size -= (size_t)done;
	}
	return true;
}

/* A name lasts when its folder is on disk. */
static bool sync_folder(const char *path)
{
	AUTO(free_ptr) char *copy = strdup(path);
	AUTO(close_fd) int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd >= 0 && fsync(fd) == 0;
}

static pep_status replace(const struct roster_file *file, const struct buffer *text, struct pep_error *err)
{
	AUTO(free_ptr) char *temporary = NULL;
	AUTO(close_fd) int fd = -1;

	if (asprintf(&temporary, "%s.XXXXXX", file->path) < 0) {
		temporary = NULL;
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return cannot("make a file beside", file->path, err);
	/* Who is not root cannot give it to another; it is his then. Root's may be lent to a group: that keeps its right to read. */
	if ((geteuid() != 0 || fchown(fd, file->about.st_uid, file->about.st_gid) == 0) &&
	    fchmod(fd, file->about.st_mode & (S_IRUSR | S_IWUSR | S_IRGRP)) == 0 && write_all(fd, text->data, text->size) &&
	    fsync(fd) == 0 && rename(temporary, file->path) == 0)
		return sync_folder(file->path) ? PEP_OK : cannot("bring to disk the folder of", file->path, err);
	(void)cannot("write", file->path, err);
	(void)unlink(temporary);
	return PEP_UNAVAILABLE;
}

pep_status roster_file_write(struct roster_file *file, struct pep_error *err)
{
	AUTO(buffer_fini) struct buffer text = {.limit = FILE_LIMIT};

	for (size_t i = 0; i < file->roster->count; i++)
		entry_write(&text, &file->roster->entries[i]);
	if (text.failed)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while writing the file of tokens");
	return replace(file, &text, err);
}

void roster_file_close(struct roster_file *file)
{
	if (file->fd >= 0)
		(void)close(file->fd);
	file->fd = -1;
	roster_free(file->roster);
	free(file->path);
	*file = (struct roster_file){.fd = -1};
}
