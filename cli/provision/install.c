/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/install.h"

#include "cli/file.h"
#include "cli/provision/enrolled.h"
#include "core/base/cleanup.h"
#include "core/base/failpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)256 << 10)
#define TEMP_PREFIX ".pep-cli-"

static void drop_json(json_t **json)
{
	json_decref(*json);
}

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

int install_credentials(const struct plan *plan, bool replayed, struct failure *err)
{
	bool was_there;
	int code;

	/* An earlier run has moved them. What lies in the client's folder is then only what a new client made at its start. */
	if (replayed && tree_is_filled(&plan->store, NULL))
		return plan->fcc && !plan->parsec ? tree_remove(&plan->pal, &was_there, err) : EXIT_OK;
	if (!plan->parsec && tree_is_filled(&plan->pal, NULL)) {
		code = tree_make_parents(&plan->store, err);
		return code == EXIT_OK ? tree_move(&plan->pal, &plan->store, err) : code;
	}
	if (tree_is_filled(&plan->store, NULL)) {
		/* The client wrote them there, and may not have flushed them. */
		tree_flush(&plan->store);
		return EXIT_OK;
	}
	return failure_set(
		err, EXIT_LOCAL_FILE, "credentials_missing",
		"the server has provisioned this gateway, but its credentials are neither in %s/%s nor in %s; if the client works "
		"elsewhere, use --fcc-dir, else let an operator grant a new identity",
		plan->pal.base, plan->pal.rel, plan->store_path);
}

int install_identity(const struct plan *plan, const char *text, struct failure *err)
{
	AUTO(free_ptr) char *old = NULL;
	struct stat status;
	size_t size = 0;
	int code = tree_make_parents(&plan->identity, err);

	if (code != EXIT_OK)
		return code;
	if (lstat(plan->identity_path, &status) == 0 && !S_ISREG(status.st_mode))
		return failure_set(err, EXIT_LOCAL_FILE, "local_file", "%s is a link or no file; remove it", plan->identity_path);
	if (file_load_private(plan->identity_path, FILE_LIMIT, &old, &size) == 0 && size == strlen(text) &&
	    memcmp(old, text, size) == 0)
		return EXIT_OK;
	return file_save_private(plan->identity_path, text, strlen(text), err);
}

static int verify_store(const struct plan *plan, const char *enrollment_id, json_t *warnings, bool *ret_certificate,
			struct failure *err)
{
	const char *inner = plan->parsec ? "pst" : "WORKING";
	enum enrolled found;

	if (!tree_is_filled(&plan->store, NULL))
		return failure_set(err, EXIT_LOCAL_FILE, "verify_failed", "there are no credentials in %s", plan->store_path);
	if (!tree_is_filled(&plan->store, inner))
		(void)json_array_append_new(warnings, json_sprintf("%s has no folder %s; is the client built %s Parsec?",
								   plan->store_path, inner, plan->parsec ? "with" : "without"));
	found = enrolled_look(&plan->store, enrollment_id, plan->facts.serial);
	if (found == ENROLLED_OTHER)
		return failure_set(
			err, EXIT_LOCAL_FILE, "identity_mismatch",
			"the certificate in %s is not the one that the server recorded for serial %s; let an operator look at the "
			"server's record before this gateway leaves",
			plan->store_path, plan->facts.serial);
	*ret_certificate = found == ENROLLED_SAME;
	return EXIT_OK;
}

int install_verify(const struct plan *plan, const char *text, const char *enrollment_id, json_t *warnings, bool *ret_certificate,
		   struct failure *err)
{
	AUTO(free_ptr) char *back = NULL;
	AUTO(drop_json) json_t *identity = NULL;
	const char *serial, *id;
	size_t size = 0;
	int error = file_load_private(plan->identity_path, FILE_LIMIT, &back, &size);

	if (error)
		return failure_set(err, EXIT_LOCAL_FILE, "verify_failed", "%s cannot be read back: %s", plan->identity_path,
				   strerror(error));
	identity = json_loadb(back, size, 0, NULL);
	serial = json_string_value(json_object_get(identity, "serialNumber"));
	id = json_string_value(json_object_get(identity, "enrollmentID"));
	/* What a template calls so is its own affair. */
	if (!identity || strcmp(back, text) != 0 ||
	    (!plan->profile.template &&
	     ((serial && strcmp(serial, plan->facts.serial) != 0) || !id || strcmp(id, enrollment_id) != 0)))
		return failure_set(err, EXIT_LOCAL_FILE, "verify_failed",
				   "%s does not say what the server sent; run the same command again", plan->identity_path);
	return verify_store(plan, enrollment_id, warnings, ret_certificate, err);
}

int install_mark(const struct plan *plan, const char *enrollment_id, struct failure *err)
{
	AUTO(drop_json)
	json_t *mark = json_pack("{ss, ss, ss}", "serial", plan->facts.serial, "enrollment_id", enrollment_id, "identity",
				 plan->identity_path);
	AUTO(free_ptr) char *text = mark ? json_dumps(mark, JSON_INDENT(1)) : NULL;

	if (!text)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while writing %s", plan->mark_path);
	return file_save_private(plan->mark_path, text, strlen(text), err);
}

bool install_is_there(const struct plan *plan)
{
	AUTO(free_ptr) char *text = NULL;
	AUTO(drop_json) json_t *identity = NULL;
	const char *serial;
	size_t size = 0;

	if (file_load_private(plan->identity_path, FILE_LIMIT, &text, &size) != 0 || !tree_is_filled(&plan->store, NULL))
		return false;
	identity = json_loadb(text, size, 0, NULL);
	serial = json_string_value(json_object_get(identity, "serialNumber"));
	return serial && strcmp(serial, plan->facts.serial) == 0 &&
	       json_string_length(json_object_get(identity, "enrollmentID")) > 0;
}

bool install_is_done(const struct plan *plan, char *ret_enrollment_id)
{
	AUTO(free_ptr) char *text = NULL;
	AUTO(drop_json) json_t *mark = NULL;
	const char *serial, *id;
	struct stat status;
	size_t size = 0;

	if (file_load_private(plan->mark_path, FILE_LIMIT, &text, &size) != 0)
		return false;
	mark = json_loadb(text, size, 0, NULL);
	serial = json_string_value(json_object_get(mark, "serial"));
	id = json_string_value(json_object_get(mark, "enrollment_id"));
	if (!serial || !id || strcmp(serial, plan->facts.serial) != 0 || !tree_is_filled(&plan->store, NULL) ||
	    lstat(plan->identity_path, &status) != 0 || !S_ISREG(status.st_mode))
		return false;
	(void)snprintf(ret_enrollment_id, 128, "%s", id);
	return true;
}

static void sweep_folder(int fd)
{
	AUTO(close_folder) DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (fd >= 0 && !folder)
		(void)close(fd);
	while (folder && (entry = readdir(folder)))
		if (strncmp(entry->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0)
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
}

void install_sweep(const struct plan *plan)
{
	struct spot folder = {0};
	char *slash;

	sweep_folder(tree_open(&plan->state));
	if (!spot_make(plan->identity.base, plan->identity.rel, &folder))
		return;
	slash = strrchr(folder.rel, '/');
	if (slash) {
		*slash = '\0';
		sweep_folder(tree_open(&folder));
	}
	spot_fini(&folder);
}
