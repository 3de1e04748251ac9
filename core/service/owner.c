/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/owner.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char file_name[] = "last-start";
static const char new_name[] = ".last-start";

void owner_make(const char *name, char ret_owner[OWNER_ROOM])
{
	char chance[9];

	/* Two servers may start in the same moment, or one when its clock has jumped back. */
	text_random(4, chance);
	(void)snprintf(ret_owner, OWNER_ROOM, "%s/%" PRIx64 "-%s", name, (uint64_t)clock_wall_ms(), chance);
}

static pep_status fail(struct pep_error *err, const char *what, const char *data_dir)
{
	int reason = errno;

	return pep_fail(err, PEP_UNAVAILABLE, reason, "%s/%s cannot be %s: %s; is the disk full, or the folder another user's?",
			data_dir, file_name, what, strerror(reason));
}

pep_status owner_earlier(const char *data_dir, char ret_owner[OWNER_ROOM], struct pep_error *err)
{
	AUTO(close_fd) int folder = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(close_fd) int fd = folder >= 0 ? openat(folder, file_name, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t size = 0;

	if (fd < 0 && (folder < 0 || errno != ENOENT))
		return fail(err, "read", data_dir);
	if (fd >= 0)
		size = read(fd, ret_owner, OWNER_ROOM - 1);
	if (size < 0)
		return fail(err, "read", data_dir);
	ret_owner[size] = '\0';
	ret_owner[strcspn(ret_owner, "\n")] = '\0';
	/* What is not whole names nobody: then those leases end by themselves. */
	if (!strchr(ret_owner, '/'))
		ret_owner[0] = '\0';
	return PEP_OK;
}

static bool write_owner(int folder, const char *owner)
{
	AUTO(close_fd) int fd = openat(folder, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t size = strlen(owner);

	return fd >= 0 && write(fd, owner, size) == (ssize_t)size && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
}

pep_status owner_keep(const char *data_dir, const char *owner, struct pep_error *err)
{
	AUTO(close_fd) int folder = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0 || !write_owner(folder, owner) || renameat(folder, new_name, folder, file_name) != 0 || fsync(folder) != 0)
		return fail(err, "written", data_dir);
	return PEP_OK;
}
