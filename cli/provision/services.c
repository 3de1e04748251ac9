/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/services.h"

#include "cli/file.h"
#include "cli/print.h"
#include "cli/process.h"
#include "core/base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNTIME "--runtime"

bool services_are_there(const struct services *services)
{
	AUTO(free_ptr) char *path = NULL;

	if (!services->name)
		return false;
	if (asprintf(&path, "%s/run/systemd/system", services->root) < 0) {
		path = NULL;
		return false;
	}
	return access(path, F_OK) == 0;
}

/* `option`: NULL: none. */
static int systemctl(const struct services *services, const char *verb, const char *option, struct failure *err)
{
	const char *const argv[] = {"systemctl", verb, option ? option : services->name, option ? services->name : NULL, NULL};
	char line[2];
	int status;

	print_verbose(services->session, "systemctl %s %s", verb, services->name);
	status = process_run(argv, line, sizeof(line));
	if (status == 0)
		return EXIT_OK;
	return failure_set(err, EXIT_LOCAL_FILE, "service",
			   "systemctl %s %s failed (exit code %d); run as root, or use --no-service", verb, services->name, status);
}

/* Whether the unit is masked already, by somebody who wants it so. */
static bool is_masked(const struct services *services)
{
	const char *const argv[] = {"systemctl", "is-enabled", services->name, NULL};
	char line[32];

	(void)process_run(argv, line, sizeof(line));
	return strcmp(line, "masked") == 0;
}

/* The mark says how: empty for good, or until the next boot. */
static int mask(const struct services *services, struct failure *err)
{
	struct failure refused = {0};
	int code = file_save_private(services->mark, "", 0, err);

	if (code != EXIT_OK || systemctl(services, "mask", NULL, &refused) == EXIT_OK)
		return code;
	/* A root that is read-only has no place for a mask but /run. */
	code = file_save_private(services->mark, RUNTIME, strlen(RUNTIME), err);
	if (code != EXIT_OK || systemctl(services, "mask", RUNTIME, err) == EXIT_OK)
		return code;
	(void)unlink(services->mark);
	*err = refused;
	return err->exit_code;
}

int services_hold(const struct services *services, struct failure *err)
{
	int code = EXIT_OK;

	if (!services_are_there(services))
		return EXIT_OK;
	/* The mark stands before the mask does, and a mask of /run is gone after a boot: so with a mark, too. */
	if (access(services->mark, F_OK) == 0 || !is_masked(services))
		code = mask(services, err);
	return code == EXIT_OK ? systemctl(services, "stop", NULL, err) : code;
}

int services_release(const struct services *services, struct failure *err)
{
	AUTO(free_ptr) char *folder = NULL;
	struct stat status;
	int code;

	if (!services_are_there(services) || stat(services->mark, &status) != 0)
		return EXIT_OK;
	code = systemctl(services, "unmask", status.st_size ? RUNTIME : NULL, err);
	if (code != EXIT_OK)
		return code;
	(void)unlink(services->mark);
	folder = file_folder(services->mark);
	if (folder)
		file_flush_folder(folder);
	return EXIT_OK;
}
