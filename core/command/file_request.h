/* SPDX-License-Identifier: Apache-2.0
 *
 * file_request.h - the command line that `backup` and `restore` share: a configuration and a file.
 */
#ifndef CORE_COMMAND_FILE_REQUEST_H
#define CORE_COMMAND_FILE_REQUEST_H

#include "core/command/store_side.h"

struct file_request {
	struct store_side side; /* loaded, not opened */
	const char *path;       /* the file */
};

/* Reads arguments and configuration, then calls `run`; says what is wrong with either. Returns a COMMAND_ exit code. [main thread] */
int file_request_run(int count, char **arguments, const char *help, int (*run)(const struct file_request *request));
/* The exit code for what storage_backup() or storage_restore() returned. */
int file_request_code(pep_status status);

#endif
