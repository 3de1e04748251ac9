/* SPDX-License-Identifier: Apache-2.0
 *
 * export: identities in a format of the server, to one place or as numbered files in a folder.
 */
#include "cli/export_file.h"
#include "cli/export_folder.h"
#include "core/base/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool names_a_folder(const char *path)
{
	struct stat status;
	size_t size = strlen(path);

	return path[size - 1] == '/' || (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

int export_run(struct session *session, struct failure *err)
{
	AUTO(settings_fini) struct settings settings = {0};
	int code = session_check(session, err);

	if (code == EXIT_OK)
		code = settings_load(getenv("PEP_SERVER_URL"), getenv("PEP_TIMEOUT"), &settings, err);
	if (code != EXIT_OK)
		return code;
	if (names_a_folder(session_text(session, 'o')))
		return export_folder_run(session, &settings, err);
	return export_file_run(session, &settings, err);
}
