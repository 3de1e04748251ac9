/* SPDX-License-Identifier: Apache-2.0
 *
 * audit.h - the command line that `audit verify` and `audit show` share.
 */
#ifndef CORE_COMMAND_AUDIT_H
#define CORE_COMMAND_AUDIT_H

#include "core/service/audit_reader.h"

struct audit_request {
	struct audit_reader *reader; /* open */
	bool is_file;                /* one file, not a folder */
	bool as_json;
	const char *head, *after;   /* of verify; NULL: not given */
	const char *since, *serial; /* of show */
};

/* Each writes what it finds to standard output and returns a COMMAND_ exit code. [main thread] */
int audit_verify(const struct audit_request *request);
int audit_show(const struct audit_request *request);

#endif
