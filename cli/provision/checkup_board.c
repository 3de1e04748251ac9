/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/checkup.h"

#include "cli/provision/install.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PARSEC_SOCKET "/run/parsec/parsec.sock"
#define SPACE_NEEDED ((unsigned long long)4 << 20)
#define SPACE_GOOD ((unsigned long long)32 << 20)

static void check_program(struct checkup *checkup, const char *name, const char *path, enum checkup_level level)
{
	struct stat status;

	if (stat(path, &status) != 0)
		checkup_add(checkup, name, level, "install it, or name another", "%s: %s", path, strerror(errno));
	else if (!S_ISREG(status.st_mode) || access(path, X_OK) != 0)
		checkup_add(checkup, name, level, "chmod 0755 it, or name a program", "%s is no program that we may run", path);
	else
		checkup_add(checkup, name, CHECKUP_OK, NULL, "%s", path);
}

/* The nearest folder above a path that is there. The caller frees it. NULL: out of memory. */
static char *nearest_folder(const char *path)
{
	char *folder = strdup(path), *slash;
	struct stat status;

	while (folder && (slash = strrchr(folder, '/'))) {
		slash[slash == folder] = '\0';
		if (stat(folder, &status) == 0 || slash == folder)
			break;
	}
	return folder;
}

static void check_place(struct checkup *checkup, const char *name, const struct spot *spot, const char *path)
{
	AUTO(free_ptr) char *folder = nearest_folder(path);
	struct failure refused = {0};

	if (!folder)
		return;
	if (access(spot->base, F_OK) != 0)
		checkup_add(checkup, name, CHECKUP_FAIL, "mount it, or choose another --platform", "%s is not there", spot->base);
	else if (tree_check(spot, &refused) != EXIT_OK)
		checkup_add(checkup, name, CHECKUP_FAIL, "remove the link, or name the real path", "%s", refused.message);
	else if (access(folder, W_OK) != 0)
		checkup_add(checkup, name, CHECKUP_FAIL, "run as root, and see that the file system is mounted for writing",
			    "%s: %s", folder, strerror(errno));
	else
		checkup_add(checkup, name, CHECKUP_OK, NULL, "%s", path);
}

static void check_space(struct checkup *checkup, const struct plan *plan)
{
	struct statvfs status;
	unsigned long long bytes;

	if (statvfs(plan->store.base, &status) != 0)
		return;
	bytes = (unsigned long long)status.f_bavail * status.f_frsize;
	checkup_add(checkup, "space",
		    bytes < SPACE_NEEDED ? CHECKUP_FAIL
		    : bytes < SPACE_GOOD ? CHECKUP_WARN
					 : CHECKUP_OK,
		    bytes < SPACE_GOOD ? "remove what is not needed" : NULL, "%llu MiB free at %s", bytes >> 20, plan->store.base);
}

static void check_old_identity(struct checkup *checkup, const struct plan *plan)
{
	char enrollment_id[128] = "";

	if (install_is_done(plan, enrollment_id))
		checkup_add(checkup, "identity", CHECKUP_OK, NULL, "provisioned already: %s", enrollment_id);
	else if (tree_is_filled(&plan->store, NULL) || access(plan->identity_path, F_OK) == 0)
		checkup_add(checkup, "identity", CHECKUP_WARN, "nothing, if it may go: provision clears it",
			    "there is an old identity in %s or %s", plan->identity_path, plan->store_path);
	else
		checkup_add(checkup, "identity", CHECKUP_OK, NULL, "none yet");
}

static void check_parsec(struct checkup *checkup, const struct plan *plan)
{
	AUTO(free_ptr) char *path = NULL;
	struct stat status;

	if (!plan->parsec)
		return;
	if (asprintf(&path, "%s" PARSEC_SOCKET, plan->root) < 0) {
		path = NULL;
		return;
	}
	if (stat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		checkup_add(checkup, "parsec", CHECKUP_OK, NULL, "%s", path);
	else
		checkup_add(checkup, "parsec", CHECKUP_FAIL,
			    "start the Parsec service, and look for socket_path in /etc/parsec/config.toml", "%s is no socket",
			    path);
}

static void check_led(struct checkup *checkup, const char *led)
{
	AUTO(free_ptr) char *path = NULL;

	if (!led)
		return;
	if (asprintf(&path, "%s/brightness", led) < 0) {
		path = NULL;
		return;
	}
	if (access(path, W_OK) == 0)
		checkup_add(checkup, "led", CHECKUP_OK, NULL, "%s", led);
	else
		checkup_add(checkup, "led", CHECKUP_WARN, "name a folder of /sys/class/leds, and run as root", "%s: %s", path,
			    strerror(errno));
}

static void check_helpers(struct checkup *checkup, const struct plan *plan)
{
	const struct lights *lights = &plan->lights;

	check_led(checkup, lights->led);
	if (lights->hook)
		check_program(checkup, "hook", lights->hook, CHECKUP_WARN);
	if (lights->hook_folder && access(lights->hook_folder, R_OK | X_OK) != 0)
		checkup_add(checkup, "hook", CHECKUP_WARN, "make the folder, or name another", "%s: %s", lights->hook_folder,
			    strerror(errno));
	if (!services_are_there(&plan->services))
		checkup_add(checkup, "service", CHECKUP_OK, NULL, "no systemd here, or --no-service: nothing is stopped or masked");
	else if (geteuid() != 0)
		checkup_add(checkup, "service", CHECKUP_WARN, "run as root, or use --no-service",
			    "%s cannot be masked by this user", plan->services.name);
	else
		checkup_add(checkup, "service", CHECKUP_OK, NULL, "%s is stopped and masked meanwhile", plan->services.name);
}

void checkup_board(struct checkup *checkup, const struct plan *plan)
{
	if (plan->facts.serial[0])
		checkup_add(checkup, "serial", CHECKUP_OK, NULL, "%s (%s)", plan->facts.serial, plan->facts.serial_source);
	if (plan->fcc)
		check_program(checkup, "fcc", plan->fcc, CHECKUP_FAIL);
	check_place(checkup, "identity-file", &plan->identity, plan->identity_path);
	check_place(checkup, "store", &plan->store, plan->store_path);
	check_place(checkup, "state", &plan->state, plan->state_path);
	check_space(checkup, plan);
	check_old_identity(checkup, plan);
	check_parsec(checkup, plan);
	check_helpers(checkup, plan);
}
