/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_tail.h - the end of a file of the audit, looked at before the chain goes on behind it.
 */
#ifndef CORE_SERVICE_AUDIT_TAIL_H
#define CORE_SERVICE_AUDIT_TAIL_H

#include "core/service/audit_line.h"

#include <sys/types.h>

struct audit_tail {
	struct audit_head head; /* of the last line that is sealed; genesis: none is */
	off_t end;              /* of the lines that count */
	char *torn;             /* what is behind: a write that was cut short; malloc'ed, NULL: nothing */
	size_t torn_size;
	unsigned altered_count; /* whole lines that do not verify */
	bool is_unchained;      /* it begins like a file from before there was a chain, and no line near the end is sealed */
};

/* Looks as far back as one write can reach, since all before it was synced. A write of which not every page got to the disk shows by a line
 * without an end, or by NULs, which no line has; whatever else is wrong was not done by a loss of power. */
pep_status audit_tail_read(int fd, const char *path, struct audit_tail *ret_tail, struct pep_error *err);

#endif
