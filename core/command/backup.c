/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/cleanup.h"
#include "core/command/command.h"
#include "core/command/file_request.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"Usage: pep-server backup [--config FILE] [--set KEY=VALUE]... BACKUP\n"
	"\n"
	"Writes the whole store, as it is at one moment, to the new file BACKUP, also while the server runs. The file is looked "
	"through\n"
	"before it gets its name, and readable for its owner only: it holds verification keys. Nothing is overwritten.\n"
	"For stores in a database server use that database's own tools.\n"
	"\n"
	"Exit codes: 0 done, 1 failed: there is no BACKUP, 2 usage, 3 configuration or a plugin that is refused, 5 BACKUP is there "
	"already, or\n"
	"the storage plugin cannot do this, 12 the store or the disk cannot be used.\n";

static int fail(const char *doing, const char *path)
{
	return command_complain(COMMAND_FAILED, "cannot %s %s: %s", doing, path, strerror(errno));
}

static int sync_path(const char *path, int flags)
{
	AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

	return fd >= 0 && fsync(fd) == 0 ? COMMAND_DONE : fail("sync", path);
}

static int sync_folder(const char *path)
{
	AUTO(free_ptr) char *copy = strdup(path);

	return copy ? sync_path(dirname(copy), O_DIRECTORY) : command_complain(COMMAND_FAILED, "out of memory");
}

/* A file system that cannot rename without replacing says EINVAL. */
static int give_name(const char *partial, const char *path)
{
	if (renameat2(AT_FDCWD, partial, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return COMMAND_DONE;
	if (errno == EINVAL && access(path, F_OK) != 0 && rename(partial, path) == 0)
		return COMMAND_DONE;
	return fail("make", path);
}

static int write_backup(const struct file_request *request, const char *partial)
{
	const struct store_side *side = &request->side;
	struct pep_storage_copy copy = {0};
	struct pep_error err = {0};
	pep_status status = storage_backup(&side->context, &side->config->storage, partial, &copy, &err);
	int code;

	if (status != PEP_OK)
		return command_complain(file_request_code(status), "%s", err.message);
	code = sync_path(partial, 0);
	if (code == COMMAND_DONE)
		code = give_name(partial, request->path);
	if (code == COMMAND_DONE)
		code = sync_folder(request->path);
	if (code == COMMAND_DONE)
		(void)printf("%s holds %lld records\n", request->path, (long long)copy.record_count);
	return code;
}

static int backup(const struct file_request *request)
{
	AUTO(free_ptr) char *partial = NULL;
	int fd, code;

	if (access(request->path, F_OK) == 0)
		return command_complain(COMMAND_UNSAFE, "%s is there already; nothing is overwritten", request->path);
	if (asprintf(&partial, "%s.partial-XXXXXX", request->path) < 0) {
		partial = NULL;
		return command_complain(COMMAND_FAILED, "out of memory");
	}
	fd = mkostemp(partial, O_CLOEXEC);
	if (fd < 0)
		return fail("make", partial);
	(void)close(fd);
	code = write_backup(request, partial);
	if (code != COMMAND_DONE)
		(void)unlink(partial);
	return code;
}

int command_backup(int count, char **arguments)
{
	return file_request_run(count, arguments, help, backup);
}
