/* SPDX-License-Identifier: Apache-2.0 */
#include "backup.h"
#include "connection.h"
#include "inspect.h"
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RESTORING_SUFFIX ".restoring"
#define PIECE_SIZE ((size_t)256 * 1024)

struct names {
	char log[PATH_MAX], index[PATH_MAX]; /* SQLite's files beside the store */
	char incoming[PATH_MAX];             /* the copy while it is made */
	char next[PATH_MAX];                 /* the copy when it only has to get the store's name */
	char kept[PATH_MAX], kept_log[PATH_MAX];
};

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Names that nothing has: nobody else makes such ones while the lock is ours. */
static bool make_kept_names(const char *store, const char *stamp, struct names *names)
{
	unsigned number = 0;
	char more[16] = "";

	do {
		if (snprintf(names->kept, PATH_MAX, "%s.before-restore-%s%s", store, stamp, more) >= PATH_MAX ||
		    snprintf(names->kept_log, PATH_MAX, "%s.before-restore-%s%s-wal", store, stamp, more) >= PATH_MAX)
			return false;
		(void)snprintf(more, sizeof(more), ".%u", ++number);
	} while (is_there(names->kept) || is_there(names->kept_log));
	return true;
}

static pep_status make_names(const char *store, struct names *ret_names, struct pep_error *err)
{
	time_t now = time(NULL);
	char stamp[24];
	struct tm parts;

	if (!gmtime_r(&now, &parts) || strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts) == 0)
		(void)snprintf(stamp, sizeof(stamp), "%lld", (long long)now);
	if (snprintf(ret_names->log, PATH_MAX, "%s-wal", store) >= PATH_MAX ||
	    snprintf(ret_names->index, PATH_MAX, "%s-shm", store) >= PATH_MAX ||
	    snprintf(ret_names->incoming, PATH_MAX, "%s.incoming", store) >= PATH_MAX ||
	    snprintf(ret_names->next, PATH_MAX, "%s" RESTORING_SUFFIX, store) >= PATH_MAX ||
	    !make_kept_names(store, stamp, ret_names))
		return pep_fail(err, PEP_INVALID, ENAMETOOLONG, "cannot restore %s: the name is too long", store);
	return PEP_OK;
}

static pep_status fail_with_errno(struct pep_error *err, const char *doing, const char *path)
{
	int cause = errno;

	return pep_fail(err, PEP_UNAVAILABLE, cause, "cannot %s %s: %s; the store is as it was", doing, path, strerror(cause));
}

static bool has_content(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && info.st_size > 0;
}

static pep_status write_all(int fd, const char *bytes, size_t size, const char *path, struct pep_error *err)
{
	while (size > 0) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno != EINTR)
			return fail_with_errno(err, "write", path);
		if (written > 0) {
			bytes += written;
			size -= (size_t)written;
		}
	}
	return PEP_OK;
}

static pep_status copy_bytes(const struct pep_host *host, int from, const char *from_path, int to, const char *to_path,
			     struct pep_error *err)
{
	char *piece = malloc(PIECE_SIZE);
	pep_status status = PEP_OK;
	ssize_t size = 1;

	if (!piece)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "out of memory");
	while (status == PEP_OK && size > 0) {
		size = read(from, piece, PIECE_SIZE);
		if (size < 0)
			status = fail_with_errno(err, "read", from_path);
		else if (host->stopping && host->stopping(host))
			status = pep_fail(err, PEP_CANCELLED, EINTR, "stopped; the store is as it was");
		else
			status = write_all(to, piece, (size_t)size, to_path, err);
	}
	free(piece);
	if (status == PEP_OK && fsync(to) != 0)
		status = fail_with_errno(err, "sync", to_path);
	return status;
}

static pep_status copy_file(const struct pep_host *host, const char *from_path, const char *to_path, struct pep_error *err)
{
	int from = open(from_path, O_RDONLY | O_CLOEXEC);
	pep_status status;
	int to;

	if (from < 0)
		return pep_fail(err, PEP_INVALID, errno, "cannot open %s: %s; nothing was changed", from_path, strerror(errno));
	/* Under the store's lock: this is what a restore left that was killed. */
	(void)unlink(to_path);
	to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0) {
		status = fail_with_errno(err, "create", to_path);
	} else {
		status = copy_bytes(host, from, from_path, to, to_path, err);
		(void)close(to);
	}
	(void)close(from);
	return status;
}

/* Copied first, looked at then: the very bytes that will be the store. */
static pep_status make_incoming(const struct pep_host *host, const char *path, const struct names *names, int64_t *ret_count,
				struct pep_error *err)
{
	char log[PATH_MAX], fault[INSPECT_FAULT_SIZE];
	pep_status status;

	if (snprintf(log, sizeof(log), "%s-wal", path) < (int)sizeof(log) && has_content(log))
		return pep_fail(err, PEP_INVALID, 0,
				"%s has a write-ahead log beside it: this is a store in use or after a crash, no backup; nothing "
				"was changed",
				path);
	status = copy_file(host, path, names->incoming, err);
	if (status == PEP_OK && !inspect_file(names->incoming, ret_count, fault))
		status = pep_fail(err, PEP_INVALID, SQLITE_CORRUPT, "%s is no sound backup (%s); nothing was changed", path, fault);
	if (status != PEP_OK)
		(void)unlink(names->incoming);
	return status;
}

/* The log belongs to the present store, and goes with it: with the new one it would be damage. */
static pep_status keep_present(const char *store, const struct names *names, struct pep_error *err)
{
	/* Some file systems know no second names. */
	if (link(store, names->kept) != 0 && rename(store, names->kept) != 0)
		return fail_with_errno(err, "keep the present store as", names->kept);
	if (has_content(names->log) && rename(names->log, names->kept_log) != 0)
		return fail_with_errno(err, "keep the log as", names->kept_log);
	(void)unlink(names->log);
	(void)unlink(names->index);
	return PEP_OK;
}

/* Between the first step and the last a store stands there without its log, or none: whoever is killed there left a file that keeps
 * servers from starting, until a restore is done again. Removing that file is no way back: the store may lack its log. */
static pep_status exchange(const struct place *place, const struct names *names, bool is_kept, struct pep_error *err)
{
	pep_status status = PEP_OK;

	if (rename(names->incoming, names->next) != 0)
		return fail_with_errno(err, "make", names->next);
	status = place_sync(place, err);
	if (status == PEP_OK && is_kept)
		status = keep_present(place->path, names, err);
	if (status == PEP_OK && rename(names->next, place->path) != 0)
		status = fail_with_errno(err, "put the backup to", place->path);
	return status == PEP_OK ? place_sync(place, err) : status;
}

/* After a failure everything has the name that it had. */
static void take_back(const char *store, const struct names *names)
{
	if (is_there(names->kept_log))
		(void)rename(names->kept_log, names->log);
	if (is_there(names->kept))
		(void)rename(names->kept, store);
	(void)unlink(names->kept); /* rename() of two names of one file does nothing */
	(void)unlink(names->next);
}

static pep_status swap(const struct place *place, const struct names *names, int64_t count, struct pep_storage_copy *ret_copy,
		       struct pep_error *err)
{
	bool is_kept = has_content(place->path) || has_content(names->log);
	char fault[INSPECT_FAULT_SIZE];
	int64_t found = -1;
	pep_status status = exchange(place, names, is_kept, err);

	if (status != PEP_OK) {
		take_back(place->path, names);
		return status;
	}
	if (!inspect_file(place->path, &found, fault) || found != count)
		return pep_fail(err, PEP_INTERNAL, 0,
				"%s was restored, but reads wrong: look at the disk; what was there before is %s", place->path,
				is_kept ? names->kept : "nothing");
	ret_copy->record_count = count;
	if (is_kept) /* a longer name begins as the store's does, which people know */
		(void)snprintf(ret_copy->kept, sizeof(ret_copy->kept), "%.*s", (int)sizeof(ret_copy->kept) - 1, names->kept);
	return PEP_OK;
}

pep_status backup_check_restored(const char *store_path, struct pep_error *err)
{
	char next[PATH_MAX];

	if (snprintf(next, sizeof(next), "%s" RESTORING_SUFFIX, store_path) >= (int)sizeof(next) || !is_there(next))
		return PEP_OK;
	return pep_fail(err, PEP_INVALID, 0,
			"cannot use %s: a restore of it was interrupted: run pep-server restore again; do not remove %s",
			store_path, next);
}

pep_status backup_restore(const struct pep_host *host, const char *store_path, const char *path, struct pep_storage_copy *ret_copy,
			  struct pep_error *err)
{
	struct names names = {0};
	struct place place;
	int64_t count = 0;
	pep_status status = place_open(store_path, &place, err);

	if (status != PEP_OK)
		return backup_no_store(status, err);
	status = make_names(place.path, &names, err);
	if (status == PEP_OK)
		status = make_incoming(host, path, &names, &count, err);
	if (status == PEP_OK) {
		status = swap(&place, &names, count, ret_copy, err);
		(void)unlink(names.incoming);
	}
	place_close(&place);
	return status;
}
