/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/file.h"

#include "core/base/cleanup.h"
#include "core/base/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static pep_status cannot_read(const char *path, int number, struct pep_error *err)
{
	return pep_fail(err, PEP_NOT_FOUND, number, "%s: cannot be read: %s", path, strerror(number));
}

/* Up to `room` bytes: until the end of the file or an error. */
static ssize_t read_all(int fd, char *text, size_t room)
{
	size_t size = 0;

	while (size < room) {
		ssize_t got = read(fd, text + size, room - size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		size += (size_t)got;
	}
	return (ssize_t)size;
}

static pep_status read_file(const char *path, size_t limit, bool is_secret, char **ret_text, size_t *ret_size,
			    struct pep_error *err)
{
	AUTO(free_ptr) char *text = NULL;
	/* O_NONBLOCK: a FIFO must not hold up the start. */
	AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat info;
	ssize_t size;

	if (fd < 0 || fstat(fd, &info))
		return cannot_read(path, errno, err);
	if (!S_ISREG(info.st_mode))
		return pep_fail(err, PEP_NOT_FOUND, 0, "%s: not a regular file", path);
	if (is_secret && private_file_fault(&info))
		return pep_fail(err, PEP_INVALID, 0, "%s: holds a secret, but %s", path, private_file_fault(&info));
	if (info.st_size > (off_t)limit)
		return pep_fail(err, PEP_LIMIT, 0, "%s: over %zu bytes; is this the right file?", path, limit);
	/* One byte more than it has: if that is filled, somebody is writing to it. */
	text = malloc((size_t)info.st_size + 2);
	if (!text)
		return pep_fail(err, PEP_NO_MEMORY, 0, "%s: out of memory while reading it", path);
	size = read_all(fd, text, (size_t)info.st_size + 1);
	if (size < 0)
		return cannot_read(path, errno, err);
	if (size > info.st_size)
		return pep_fail(err, PEP_UNAVAILABLE, 0, "%s: it grew while it was read; try again", path);
	text[size] = '\0';
	*ret_text = TAKE(text);
	*ret_size = (size_t)size;
	return PEP_OK;
}

pep_status file_read(const char *path, size_t limit, char **ret_text, size_t *ret_size, struct pep_error *err)
{
	return read_file(path, limit, false, ret_text, ret_size, err);
}

pep_status file_read_private(const char *path, size_t limit, char **ret_text, size_t *ret_size, struct pep_error *err)
{
	return read_file(path, limit, true, ret_text, ret_size, err);
}
