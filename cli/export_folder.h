/* SPDX-License-Identifier: Apache-2.0
 *
 * export_folder.h - an export as numbered files in a folder, each a whole file of its own and below 10,000,000 bytes; goes on where it
 * stopped, and later takes only what is new.
 */
#ifndef CLI_EXPORT_FOLDER_H
#define CLI_EXPORT_FOLDER_H

#include "cli/session.h"
#include "cli/settings.h"

/* `session` is of the command export, checked; its output is a folder, or ends in a slash: then it is made if it is not there. An
 * exit code; err is filled if it is not EXIT_OK. */
int export_folder_run(const struct session *session, const struct settings *settings, struct failure *err);

#endif
