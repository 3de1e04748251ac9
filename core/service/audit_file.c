/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_file.h"

#include "core/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static pep_status fail_file(const struct audit_file *file, const char *what, struct pep_error *err)
{
	int reason = errno;

	return pep_fail(err, PEP_UNAVAILABLE, reason, "the audit file %s cannot be %s: %s; it must be a plain file of this user's",
			file->path, what, strerror(reason));
}

/* --- opening --- */

static pep_status lock_folder(struct audit_file *file, const char *folder, struct pep_error *err)
{
	file->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->folder < 0)
		return pep_fail(err, PEP_UNAVAILABLE, errno, "the folder %s of the audit cannot be opened: %s", folder,
				strerror(errno));
	if (flock(file->folder, LOCK_EX | LOCK_NB) != 0)
		return pep_fail(err, PEP_CONFLICT, errno, "another process writes the audit in %s; end it first", folder);
	return PEP_OK;
}

/* A new file is there after a loss of power only if its folder is synced, too. */
static pep_status open_current(struct audit_file *file, off_t *ret_size, struct pep_error *err)
{
	struct stat about;

	file->fd = openat(file->folder, AUDIT_FILE_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file->fd < 0 || fstat(file->fd, &about) != 0)
		return fail_file(file, "opened", err);
	errno = EINVAL;
	if (!S_ISREG(about.st_mode) || (about.st_size == 0 && fsync(file->folder) != 0))
		return fail_file(file, "opened", err);
	*ret_size = about.st_size;
	return PEP_OK;
}

/* Of the last file that has a number; genesis if there is none. */
static pep_status read_last_numbered(struct audit_file *file, struct audit_tail *tail, struct pep_error *err)
{
	AUTO(free_ptr) unsigned *numbers = NULL;
	AUTO(close_fd) int fd = -1;
	char name[AUDIT_NAME_SIZE];
	size_t count = 0;
	pep_status status = audit_folder_list(file->folder, &numbers, &count, err);

	if (status != PEP_OK || count == 0)
		return status;
	audit_folder_name(numbers[count - 1], name);
	memcpy(file->previous, name, sizeof(name));
	fd = openat(file->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return pep_fail(err, PEP_UNAVAILABLE, errno, "the audit file %s beside %s cannot be read: %s", name, file->path,
				strerror(errno));
	status = audit_tail_read(fd, name, tail, err);
	if (status == PEP_OK && tail->torn) {
		tail->altered_count++; /* it was whole when it got its number */
		free(TAKE(tail->torn));
		tail->torn_size = 0;
	}
	tail->end = 0;
	return status;
}

/* From before there was a chain: it stays, but the chain does not begin in it. */
static pep_status set_aside(struct audit_file *file, struct pep_error *err)
{
	(void)close(file->fd);
	file->fd = -1;
	errno = EEXIST;
	if (faccessat(file->folder, AUDIT_UNCHAINED_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	    renameat(file->folder, AUDIT_FILE_NAME, file->folder, AUDIT_UNCHAINED_NAME) != 0)
		return pep_fail(err, PEP_UNAVAILABLE, errno,
				"the audit file %s is from before there was a chain, and cannot be called " AUDIT_UNCHAINED_NAME
				": %s; move it away",
				file->path, strerror(errno));
	return PEP_OK;
}

static pep_status find_end(struct audit_file *file, struct audit_tail *tail, struct pep_error *err)
{
	off_t size = 0;
	pep_status status = open_current(file, &size, err);

	if (status == PEP_OK)
		status = audit_tail_read(file->fd, file->path, tail, err);
	if (status == PEP_OK && tail->is_unchained) {
		free(TAKE(tail->torn));
		*tail = (struct audit_tail){.head = audit_genesis, .is_unchained = true};
		status = set_aside(file, err);
		if (status == PEP_OK)
			status = open_current(file, &size, err);
	}
	if (status == PEP_OK && tail->head.seq == 0) {
		struct audit_tail before = {.head = audit_genesis};

		status = read_last_numbered(file, &before, err);
		tail->head = before.head;
		tail->altered_count += before.altered_count;
	}
	return status;
}

pep_status audit_file_open(const char *folder, struct audit_file **ret_file, struct audit_tail *ret_tail, struct pep_error *err)
{
	size_t room = strlen(folder) + sizeof("/" AUDIT_FILE_NAME);
	struct audit_file *file = calloc(1, sizeof(*file) + room);
	struct audit_tail tail = {.head = audit_genesis};
	pep_status status;

	if (!file)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	file->fd = -1;
	(void)snprintf(file->path, room, "%s/" AUDIT_FILE_NAME, folder);
	status = lock_folder(file, folder, err);
	if (status == PEP_OK)
		status = find_end(file, &tail, err);
	if (status != PEP_OK) {
		free(tail.torn);
		audit_file_close(file);
		return status;
	}
	file->size = tail.end;
	file->has_rest = file->holds_torn = tail.torn;
	file->head = tail.head;
	*ret_file = file;
	*ret_tail = tail;
	return PEP_OK;
}

void audit_file_close(struct audit_file *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		(void)close(file->fd);
	if (file->folder >= 0)
		(void)close(file->folder);
	free(file);
}

/* --- writing --- */

static bool write_at(int fd, const char *data, size_t size, off_t at)
{
	while (size) {
		ssize_t wrote = pwrite(fd, data, size, at);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0) {
			errno = wrote < 0 ? errno : ENOSPC;
			return false;
		}
		data += wrote;
		size -= (size_t)wrote;
		at += wrote;
	}
	return true;
}

/* The file has still its name and its size: nobody has moved it, or written to it. */
static bool is_as_left(const struct audit_file *file)
{
	struct stat named, held;

	return file->fd >= 0 && fstatat(file->folder, AUDIT_FILE_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(file->fd, &held) == 0 && named.st_dev == held.st_dev && named.st_ino == held.st_ino &&
	       (held.st_size == file->size || (file->has_rest && held.st_size > file->size));
}

/* What somebody else did shows in the chain for ever; the events of today are written all the same. */
static pep_status get_ready(struct audit_file *file, struct pep_error *err)
{
	bool was_open = file->fd >= 0;
	char last = '\n';
	off_t size = 0;
	pep_status status;

	if (is_as_left(file))
		return PEP_OK;
	if (was_open)
		(void)close(file->fd);
	file->fd = -1;
	status = open_current(file, &size, err);
	if (status != PEP_OK || (!was_open && is_as_left(file)))
		return status;
	file->is_changed = true;
	file->has_rest = file->holds_torn = false;
	file->size = size;
	if (size > 0 && pread(file->fd, &last, 1, size - 1) == 1 && last != '\n' && write_at(file->fd, "\n", 1, size))
		file->size++;
	return PEP_OK;
}

/* The old rest is replaced first and cut off then, so that what was torn is never gone without a line that tells of it. */
static bool put(struct audit_file *file, const char *lines, size_t size)
{
	if (!write_at(file->fd, lines, size, file->size))
		return false;
	if (file->has_rest && ftruncate(file->fd, file->size + (off_t)size) != 0)
		return false;
	if (fdatasync(file->fd) == 0)
		return true;
	/* What the kernel has in memory is not what is on disk: see the file anew next time. */
	(void)close(file->fd);
	file->fd = -1;
	return false;
}

static pep_status retire(struct audit_file *file, struct pep_error *err)
{
	AUTO(free_ptr) unsigned *numbers = NULL;
	char name[AUDIT_NAME_SIZE];
	size_t count = 0;
	pep_status status = audit_folder_list(file->folder, &numbers, &count, err);

	if (status != PEP_OK)
		return status;
	audit_folder_name(count ? numbers[count - 1] + 1 : 1, name);
	/* The name is free: nobody else may write here while the folder is locked. */
	if (renameat(file->folder, AUDIT_FILE_NAME, file->folder, name) != 0)
		return fail_file(file, "renamed", err);
	memcpy(file->previous, name, sizeof(name));
	(void)close(file->fd);
	file->fd = -1;
	file->size = 0;
	file->has_rest = false;
	if (fsync(file->folder) != 0)
		return fail_file(file, "renamed", err);
	return PEP_OK;
}

pep_status audit_file_prepare(struct audit_file *file, off_t segment_size, struct pep_error *err)
{
	pep_status status = get_ready(file, err);

	if (status == PEP_OK && file->size >= segment_size && !file->has_rest)
		status = retire(file, err);
	return status == PEP_OK ? get_ready(file, err) : status;
}

pep_status audit_file_write(struct audit_file *file, const char *lines, size_t size, const struct audit_head *head,
			    struct pep_error *err)
{
	if (!put(file, lines, size)) {
		pep_status status = fail_file(file, "written", err);

		if (file->fd >= 0 && !file->holds_torn)
			(void)!ftruncate(file->fd, file->size);
		file->has_rest = true;
		return status;
	}
	file->size += (off_t)size;
	file->has_rest = file->holds_torn = false;
	file->head = *head;
	return PEP_OK;
}
