/* SPDX-License-Identifier: Apache-2.0
 *
 * export_file.h - an export to stdout, or to one file that appears when it is whole, with the cursor that is kept for the next.
 */
#ifndef CLI_EXPORT_FILE_H
#define CLI_EXPORT_FILE_H

#include "cli/session.h"
#include "cli/settings.h"

/* `session` is of the command export, checked. An exit code; err is filled if it is not EXIT_OK. */
int export_file_run(const struct session *session, const struct settings *settings, struct failure *err);

#endif
