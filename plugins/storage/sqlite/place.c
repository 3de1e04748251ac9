/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Less room than this and a commit may fail at any moment. */
#define ROOM_MIN_SIZE UINT64_C(1048576)

static const struct remote {
	unsigned long type;
	const char *name;
} remotes[] = {
	/* linux/magic.h, and the sources of those that are not in the kernel */
	{0x6969, "NFS"},        {0xff534d42, "CIFS"}, {0xfe534d42, "SMB"},    {0x517b, "SMB"},      {0x01021997, "9P"},
	{0x00c36400, "Ceph"},   {0x5346414f, "AFS"},  {0x73757245, "Coda"},   {0x01161970, "GFS2"}, {0x7461636f, "OCFS2"},
	{0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"}, {0x786f4256, "vboxsf"}, {0x65735546, "FUSE"}, {0xbacbacbc, "vmhgfs"},
};

const char *place_remote_name(unsigned long type)
{
	for (size_t i = 0; i < sizeof(remotes) / sizeof(remotes[0]); i++)
		if (remotes[i].type == type)
			return remotes[i].name;
	return NULL;
}

static const struct cause {
	int number;
	pep_status status;
	const char *advice;
} causes[] = {
	{ENOENT, PEP_INVALID, "create the folder, or correct storage.path"},
	{ENOTDIR, PEP_INVALID, "create the folder, or correct storage.path"},
	{EISDIR, PEP_INVALID, "correct storage.path"},
	{ELOOP, PEP_INVALID, "correct storage.path"},
	{ENAMETOOLONG, PEP_INVALID, "correct storage.path"},
	{EACCES, PEP_INVALID, "let the server's user read and write the file and its folder, or correct storage.path"},
	{EPERM, PEP_INVALID, "let the server's user read and write the file and its folder, or correct storage.path"},
	{EROFS, PEP_INVALID, "mount the file system for writing, or choose another storage.path"},
	{ENOSPC, PEP_UNAVAILABLE, "free some space"},
	{EDQUOT, PEP_UNAVAILABLE, "free some space, or raise the quota"},
	{ENOMEM, PEP_NO_MEMORY, "give the server more memory"},
	{EMFILE, PEP_UNAVAILABLE, "raise the limit of open files"},
};

static pep_status fail_with_errno(struct pep_error *err, const char *what, const char *path)
{
	struct cause cause = {errno, PEP_UNAVAILABLE, "look at the disk and into the system's log"};

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].number == cause.number)
			cause = causes[i];
	return pep_fail(err, cause.status, cause.number, "cannot %s %s: %s: %s", what, path, strerror(cause.number), cause.advice);
}

/* Absolute and free of links, so that two names of one file meet at one lock. */
static pep_status resolve(const char *path, char **ret_path, struct pep_error *err)
{
	char *folder_copy, *name_copy, *folder;
	pep_status status = PEP_OK;

	*ret_path = realpath(path, NULL);
	if (*ret_path)
		return PEP_OK;
	if (errno != ENOENT)
		return fail_with_errno(err, "open", path);
	folder_copy = strdup(path);
	name_copy = strdup(path);
	folder = folder_copy ? realpath(dirname(folder_copy), NULL) : NULL;
	/* Out of memory is an errno, too. */
	if (!folder || !name_copy || asprintf(ret_path, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, basename(name_copy)) < 0) {
		status = fail_with_errno(err, "create", path);
		*ret_path = NULL;
	}
	free(folder);
	free(folder_copy);
	free(name_copy);
	return status;
}

static pep_status open_folder(struct place *place, struct pep_error *err)
{
	char *copy = strdup(place->path);
	struct statfs info;
	const char *remote;

	if (!copy)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot open %s: out of memory", place->path);
	place->folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (place->folder < 0 || fstatfs(place->folder, &info) != 0)
		return fail_with_errno(err, "open the folder of", place->path);
	remote = place_remote_name((unsigned long)info.f_type & 0xffffffffu);
	if (remote)
		return pep_fail(
			err, PEP_INVALID, 0,
			"cannot keep a store in %s: this is a network file system (%s), where SQLite may lose data: choose a "
			"storage.path on a local disk",
			place->path, remote);
	return PEP_OK;
}

/* Who holds the lock, for the message; it says so in the file. */
static long lock_holder(int lock)
{
	char text[24] = "";

	return pread(lock, text, sizeof(text) - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static pep_status take_lock(struct place *place, struct pep_error *err)
{
	char name[PATH_MAX];

	if (snprintf(name, sizeof(name), "%s.lock", place->path) >= (int)sizeof(name))
		return pep_fail(err, PEP_INVALID, ENAMETOOLONG, "cannot open %s: the name is too long: shorten storage.path",
				place->path);
	place->lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (place->lock < 0)
		return fail_with_errno(err, "create", name);
	if (flock(place->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return pep_fail(err, PEP_CONFLICT, errno,
					"cannot use %s: another server (process %ld) has it: stop that one, or give this one its "
					"own storage.path",
					place->path, lock_holder(place->lock));
		return fail_with_errno(err, "lock", name);
	}
	/* For people only: the lock itself is what counts, so a full disk is no reason to stop here. */
	if (ftruncate(place->lock, 0) == 0)
		(void)dprintf(place->lock, "%ld\n", (long)getpid());
	return PEP_OK;
}

/* SQLite would quietly open a file that it cannot write for reading only, so we try first. This happens under the lock: closing
 * a file drops the POSIX locks that another connection of this process holds on it. */
static pep_status create_file(struct place *place, struct pep_error *err)
{
	int fd = open(place->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat info;
	char log[PATH_MAX];

	if (fd < 0)
		return fail_with_errno(err, "open", place->path);
	if (fstat(fd, &info) != 0) {
		(void)close(fd);
		return fail_with_errno(err, "look at", place->path);
	}
	(void)close(fd);
	if (!S_ISREG(info.st_mode))
		return pep_fail(err, PEP_INVALID, 0, "cannot use %s: this is not a file: correct storage.path", place->path);
	place->device = info.st_dev;
	place->inode = info.st_ino;
	place->size = info.st_size;
	if (snprintf(log, sizeof(log), "%s-wal", place->path) < (int)sizeof(log))
		place->unclean = stat(log, &info) == 0 && info.st_size > 0;
	/* The log and its index are made in the folder while the server runs. */
	if (faccessat(place->folder, ".", W_OK | X_OK, AT_EACCESS) != 0)
		return fail_with_errno(err, "write to the folder of", place->path);
	return PEP_OK;
}

pep_status place_open(const char *path, struct place *ret_place, struct pep_error *err)
{
	struct place place = {.folder = -1, .lock = -1};
	pep_status status;

	status = resolve(path, &place.path, err);
	if (!place.path)
		return status;
	status = open_folder(&place, err);
	if (status == PEP_OK)
		status = take_lock(&place, err);
	if (status == PEP_OK)
		status = create_file(&place, err);
	if (status != PEP_OK) {
		place_close(&place);
		return status;
	}
	*ret_place = place;
	return PEP_OK;
}

void place_close(struct place *place)
{
	if (place->lock >= 0)
		(void)close(place->lock);
	if (place->folder >= 0)
		(void)close(place->folder);
	free(place->path);
}

pep_status place_sync(const struct place *place, struct pep_error *err)
{
	if (fsync(place->folder) != 0)
		return fail_with_errno(err, "sync the folder of", place->path);
	return PEP_OK;
}

pep_status place_check_file(const struct place *place, struct pep_error *err)
{
	struct stat info;

	if (stat(place->path, &info) == 0 && info.st_dev == place->device && info.st_ino == place->inode)
		return PEP_OK;
	return pep_fail(err, PEP_UNAVAILABLE, ENOENT,
			"cannot use %s: the file was moved, deleted or replaced: put it back, then restart the server",
			place->path);
}

pep_status place_check_room(const struct place *place, struct pep_error *err)
{
	pep_status status = place_check_file(place, err);
	struct statvfs info;

	if (status != PEP_OK)
		return status;
	if (fstatvfs(place->folder, &info) != 0)
		return fail_with_errno(err, "look at the file system of", place->path);
	if (info.f_flag & ST_RDONLY)
		return pep_fail(err, PEP_UNAVAILABLE, EROFS, "cannot write %s: its file system became read-only: look at the disk",
				place->path);
	if ((uint64_t)info.f_bavail * info.f_frsize < ROOM_MIN_SIZE)
		return pep_fail(err, PEP_UNAVAILABLE, ENOSPC, "cannot write %s: the disk is full: free some space", place->path);
	return PEP_OK;
}
