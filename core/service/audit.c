/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct audit {
	int fd;
	pthread_mutex_t mutex;
	char path[];
};

/* The last byte of a file that is not empty is a line end. */
static bool ends_well(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char last = '\0';

	return size == 0 || (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last == '\n');
}

pep_status audit_open(const char *path, struct audit **ret_audit, struct pep_error *err)
{
	size_t size = strlen(path) + 1;
	struct audit *audit = malloc(sizeof(*audit) + size);

	if (!audit)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	memcpy(audit->path, path, size);
	audit->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (audit->fd < 0 || (!ends_well(audit->fd) && write(audit->fd, "\n", 1) != 1)) {
		int reason = errno;

		if (audit->fd >= 0)
			(void)close(audit->fd);
		free(audit);
		return pep_fail(err, PEP_UNAVAILABLE, reason,
				"the audit file %s cannot be written: %s; make it a plain file of this user's", path,
				strerror(reason));
	}
	(void)pthread_mutex_init(&audit->mutex, NULL);
	*ret_audit = audit;
	return PEP_OK;
}

void audit_close(struct audit *audit)
{
	if (!audit)
		return;
	(void)close(audit->fd);
	(void)pthread_mutex_destroy(&audit->mutex);
	free(audit);
}

/* The line, with its end; the caller frees it. NULL: out of memory. */
static char *make_line(json_t *event)
{
	AUTO(free_ptr) char *object = event ? json_dumps(event, JSON_COMPACT) : NULL;
	int64_t now_ms = clock_wall_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm parts;
	char moment[32] = "";
	char *line = NULL;

	json_decref(event);
	if (!object || !gmtime_r(&seconds, &parts))
		return NULL;
	(void)strftime(moment, sizeof(moment), "%Y-%m-%dT%H:%M:%S", &parts);
	if (asprintf(&line, "{\"time\":\"%s.%03dZ\",%s\n", moment, (int)(now_ms % 1000), object + 1) < 0)
		return NULL;
	return line;
}

/* All of it, or what was written is taken back. */
static bool write_line(int fd, const char *line)
{
	off_t before = lseek(fd, 0, SEEK_END);
	size_t size = strlen(line);
	ssize_t wrote = write(fd, line, size);

	if (wrote == (ssize_t)size && fdatasync(fd) == 0)
		return true;
	{
		int reason = wrote >= 0 && (size_t)wrote < size ? ENOSPC : errno;

		if (before >= 0)
			(void)!ftruncate(fd, before);
		errno = reason;
	}
	return false;
}

pep_status audit_append(struct audit *audit, json_t *event, struct pep_error *err)
{
	AUTO(free_ptr) char *line = make_line(event);
	AUTO(unlock_mutex) pthread_mutex_t *lock = NULL;

	if (!line)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while auditing");
	lock = lock_mutex(&audit->mutex);
	if (write_line(audit->fd, line))
		return PEP_OK;
	return pep_fail(err, PEP_UNAVAILABLE, errno, "the audit file %s cannot be written: %s; nothing is exported without it",
			audit->path, strerror(errno));
}
