/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "job.h"
#include "remove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_ROOM = 80, JOB_SIZE_MAX = 1024 };

pep_status files_open(const char *path, struct files *ret_files, struct pep_error *err)
{
	struct files files = {.folder = -1};

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		files.path = realpath(path, NULL);
	if (files.path)
		files.folder = open(files.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files.folder < 0 || faccessat(files.folder, ".", W_OK | X_OK, 0) != 0) {
		int reason = errno;

		files_close(&files);
		return pep_fail(err, PEP_UNAVAILABLE, reason,
				"fcu: the state folder %s cannot be used: %s; make it writable for this user", path,
				strerror(reason));
	}
	*ret_files = files;
	return PEP_OK;
}

void files_close(struct files *files)
{
	if (files->folder >= 0)
		(void)close(files->folder);
	free(files->path);
	*files = (struct files){.folder = -1};
}

bool files_is_nonce(const char *nonce)
{
	return nonce && strspn(nonce, "0123456789abcdef") == 32 && !nonce[32];
}

static const char *name_of(char name[NAME_ROOM], const char *nonce, const char *suffix)
{
	(void)snprintf(name, NAME_ROOM, "%s%s", nonce, suffix);
	return name;
}

static bool write_job(int job, const char *serial)
{
	char text[JOB_SIZE_MAX];
	int size = snprintf(text, sizeof(text), "serial %s\n", serial);

	if (size < 0 || (size_t)size >= sizeof(text) - sizeof(JOB_MARK)) {
		errno = EMSGSIZE;
		return false;
	}
	return flock(job, LOCK_EX | LOCK_NB) == 0 && write(job, text, (size_t)size) == size && fsync(job) == 0;
}

/* Under another name until it is whole and locked: who looks at the attempt sees no job, or one that its runner has. */
static pep_status place_job(const struct files *files, const struct pep_identity *id, const char *new_name, int job)
{
	char name[NAME_ROOM];

	if (!write_job(job, id->serial))
		return PEP_UNAVAILABLE;
	if (faccessat(files->folder, name_of(name, id->nonce, JOB_SUFFIX), F_OK, 0) == 0)
		return PEP_CONFLICT;
	if (errno != ENOENT || renameat(files->folder, new_name, files->folder, name) != 0)
		return PEP_UNAVAILABLE;
	return fsync(files->folder) == 0 ? PEP_OK : PEP_UNAVAILABLE;
}

pep_status files_make_job(const struct files *files, const struct pep_identity *id, int *ret_job, struct pep_error *err)
{
	char new_name[NAME_ROOM];
	char name[NAME_ROOM];
	pep_status status = PEP_UNAVAILABLE;
	int job;
	int reason;

	(void)snprintf(new_name, NAME_ROOM, ".%s%s", id->nonce, JOB_SUFFIX);
	job = openat(files->folder, new_name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (job >= 0)
		status = place_job(files, id, new_name, job);
	reason = errno;
	if (status == PEP_OK) {
		*ret_job = job;
		return PEP_OK;
	}
	if (job >= 0) {
		(void)unlinkat(files->folder, new_name, 0);
		if (status != PEP_CONFLICT)
			(void)unlinkat(files->folder, name_of(name, id->nonce, JOB_SUFFIX), 0);
		(void)close(job);
	}
	if (status == PEP_CONFLICT || (job < 0 && reason == EEXIST))
		return pep_fail(err, PEP_CONFLICT, EEXIST, "fcu: this attempt at serial %.64s was begun before", id->serial);
	return pep_fail(err, PEP_UNAVAILABLE, reason, "fcu: an attempt cannot be noted in %s: %s; is the disk full?", files->path,
			strerror(reason));
}

/* Nobody has it any more, or somebody does; false with errno: neither is known. A shared lock: two that look at the same time must not
 * take each other for the runner. */
static bool try_lock(int job, bool *ret_is_locked)
{
	*ret_is_locked = false;
	if (flock(job, LOCK_SH | LOCK_NB) == 0)
		return true;
	*ret_is_locked = errno == EWOULDBLOCK;
	return *ret_is_locked;
}

/* The whole of a small file; negative: errno says why. */
static ssize_t read_whole(int fd, char *text, size_t room)
{
	size_t size = 0;

	while (size < room) {
		ssize_t part = pread(fd, text + size, room - size, (off_t)size);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return -1;
		if (part == 0)
			break;
		size += (size_t)part;
	}
	return (ssize_t)size;
}

/* What a job without a runner says: was the mark begun behind its line? */
static bool read_job(int job, enum files_state *ret_state)
{
	char text[JOB_SIZE_MAX + 1];
	ssize_t size = read_whole(job, text, JOB_SIZE_MAX);
	const char *newline;

	if (size < 0)
		return false;
	newline = memchr(text, '\n', (size_t)size);
	*ret_state = newline && newline + 1 < text + size ? FILES_LOST : FILES_NOT_STARTED;
	return true;
}

static pep_status cannot_look(const struct files *files, const struct pep_identity *id, struct pep_error *err)
{
	int reason = errno;

	return pep_fail(err, PEP_UNAVAILABLE, reason, "fcu: the attempt at serial %.64s cannot be looked up in %s: %s", id->serial,
			files->path, strerror(reason));
}

static int open_job(const struct files *files, const struct pep_identity *id)
{
	char name[NAME_ROOM];

	return openat(files->folder, name_of(name, id->nonce, JOB_SUFFIX), O_RDWR | O_CLOEXEC);
}

/* Of a job without a runner; false with errno. */
static bool look_at_end(const struct files *files, const struct pep_identity *id, int job, enum files_state *ret_state)
{
	char name[NAME_ROOM];

	if (faccessat(files->folder, name_of(name, id->nonce, JOB_RESULT_SUFFIX), F_OK, 0) == 0) {
		*ret_state = FILES_FINISHED;
		return true;
	}
	return errno == ENOENT && read_job(job, ret_state);
}

/* The lock first: a runner that lives may write what is read then. */
static bool look_at_job(const struct files *files, const struct pep_identity *id, int job, enum files_state *ret_state)
{
	bool is_locked;

	if (!try_lock(job, &is_locked))
		return false;
	if (!is_locked)
		return look_at_end(files, id, job, ret_state);
	*ret_state = FILES_RUNNING;
	return true;
}

typedef bool job_look(const struct files *files, const struct pep_identity *id, int job, enum files_state *ret_state);

static pep_status look(const struct files *files, const struct pep_identity *id, job_look *look_at, enum files_state *ret_state,
		       struct pep_error *err)
{
	int job = open_job(files, id);
	enum files_state state = FILES_NONE;
	pep_status status = PEP_OK;

	if (job >= 0 ? !look_at(files, id, job, &state) : errno != ENOENT)
		status = cannot_look(files, id, err);
	if (job >= 0)
		(void)close(job);
	if (status == PEP_OK)
		*ret_state = state;
	return status;
}

pep_status files_look(const struct files *files, const struct pep_identity *id, enum files_state *ret_state, struct pep_error *err)
{
	return look(files, id, look_at_job, ret_state, err);
}

pep_status files_look_ended(const struct files *files, const struct pep_identity *id, enum files_state *ret_state,
			    struct pep_error *err)
{
	return look(files, id, look_at_end, ret_state, err);
}

pep_status files_read_result(const struct files *files, const struct pep_identity *id, char *text, struct result *ret_result,
			     struct pep_error *err)
{
	char name[NAME_ROOM];
	int fd = openat(files->folder, name_of(name, id->nonce, JOB_RESULT_SUFFIX), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read_whole(fd, text, RESULT_SIZE_MAX) : -1;
	pep_status status = size < 0 ? cannot_look(files, id, err) : PEP_OK;

	if (fd >= 0)
		(void)close(fd);
	if (status != PEP_OK)
		return status;
	if (!result_read(text, (size_t)size, ret_result) || strcmp(ret_result->serial, id->serial) != 0)
		return pep_fail(err, PEP_INTERNAL, 0, "fcu: the result %s of serial %.64s is damaged; look at it in %s", name,
				id->serial, files->path);
	return PEP_OK;
}

void files_remove(const struct files *files, const char *nonce)
{
	static const char *const suffixes[] = {JOB_RESULT_SUFFIX, JOB_FOLDER_SUFFIX, JOB_SUFFIX};
	char name[NAME_ROOM];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		remove_tree(files->folder, name_of(name, nonce, suffixes[i]));
		/* Who was killed may have left it under its first name. */
		(void)snprintf(name, NAME_ROOM, ".%s%s", nonce, suffixes[i]);
		(void)unlinkat(files->folder, name, 0);
	}
}
