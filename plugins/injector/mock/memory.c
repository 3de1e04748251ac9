/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct memory {
	int fd;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t synced_more;
	uint64_t written, synced; /* lines */
	bool syncing;             /* somebody is in fdatasync() */
	int error;                /* errno of a failed fdatasync(), for ever: what is on disk is not known any more */
};

pep_status memory_open(const char *path, struct memory **ret_memory, struct pep_error *err)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return pep_fail(err, PEP_NO_MEMORY, 0, "mock: no memory for the gateways' file");
	memory->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (memory->fd < 0) {
		int error = errno;

		free(memory);
		return pep_fail(err, PEP_INVALID, error, "mock: cannot open the gateways' file %s: %s; check folder and rights",
				path, strerror(error));
	}
	(void)pthread_mutex_init(&memory->mutex, NULL);
	(void)pthread_cond_init(&memory->synced_more, NULL);
	*ret_memory = memory;
	return PEP_OK;
}

void memory_close(struct memory *memory)
{
	if (!memory)
		return;
	(void)close(memory->fd);
	(void)pthread_cond_destroy(&memory->synced_more);
	(void)pthread_mutex_destroy(&memory->mutex);
	free(memory);
}

pep_status memory_test(struct memory *memory, struct pep_error *err)
{
	if (fdatasync(memory->fd) == 0)
		return PEP_OK;
	return pep_fail(err, PEP_INVALID, errno, "mock: cannot sync the gateways' file: %s; name a file on a local disk",
			strerror(errno));
}

/* A lock on a byte far behind the file's end, one for each serial: the kernel lets go of it when the process dies. */
static bool lock_gateway(const struct memory *memory, const struct pep_identity *id, short type)
{
	uint64_t hash = 14695981039346656037U; /* FNV-1a */
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};

	for (const char *byte = id->serial; *byte; byte++)
		hash = (hash ^ (unsigned char)*byte) * 1099511628211U;
	lock.l_start = (off_t)(hash >> 2 | (uint64_t)1 << 61);
	return fcntl(memory->fd, F_OFD_SETLK, &lock) == 0;
}

bool memory_enter(struct memory *memory, const struct pep_identity *id)
{
	return lock_gateway(memory, id, F_WRLCK);
}

void memory_leave(struct memory *memory, const struct pep_identity *id)
{
	(void)lock_gateway(memory, id, F_UNLCK);
}

/* Waits until the lines written so far are on disk. The first to come syncs for all that have written by then. */
static int sync_line(struct memory *memory)
{
	uint64_t mine;
	int error;

	(void)pthread_mutex_lock(&memory->mutex);
	mine = ++memory->written;
	while (memory->synced < mine && !memory->error) {
		uint64_t covered = memory->written;

		if (memory->syncing) {
			(void)pthread_cond_wait(&memory->synced_more, &memory->mutex);
			continue;
		}
		memory->syncing = true;
		(void)pthread_mutex_unlock(&memory->mutex);
		error = fdatasync(memory->fd) == 0 ? 0 : errno;
		(void)pthread_mutex_lock(&memory->mutex);
		memory->syncing = false;
		memory->error = error;
		memory->synced = covered;
		(void)pthread_cond_broadcast(&memory->synced_more);
	}
	error = memory->error;
	(void)pthread_mutex_unlock(&memory->mutex);
	return error;
}

pep_status memory_note(struct memory *memory, const struct pep_identity *id, const char *enrollment_id, struct pep_error *err)
{
	char line[1024];
	int size = snprintf(line, sizeof(line), "%s %u %s\n", id->serial, id->attempt, enrollment_id ? enrollment_id : "-");
	ssize_t done;
	int error;

	if (size < 0 || (size_t)size >= sizeof(line))
		return pep_fail(err, PEP_UNAVAILABLE, 0, "mock: the gateways' file has no room for a serial of %zu bytes",
				strlen(id->serial));
	do
		done = write(memory->fd, line, (size_t)size);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return pep_fail(err, PEP_UNAVAILABLE, errno, "mock: cannot write the gateways' file: %s", strerror(errno));
	if (done != size)
		return pep_fail(err, PEP_UNKNOWN, 0, "mock: wrote %zd of %d bytes to the gateways' file: is the disk full?", done,
				size);
	error = sync_line(memory);
	if (error)
		return pep_fail(err, PEP_UNKNOWN, error, "mock: cannot sync the gateways' file: %s", strerror(error));
	return PEP_OK;
}
