/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_check.h - is an audit as it was written? Line by line; tells the first record that was changed, lost, moved or written twice.
 */
#ifndef CORE_SERVICE_AUDIT_CHECK_H
#define CORE_SERVICE_AUDIT_CHECK_H

#include "core/service/audit_line.h"

enum audit_fault {
	AUDIT_SOUND,
	AUDIT_ALTERED,    /* the line's bytes are not those that were sealed, or it is no line at all */
	AUDIT_REWRITTEN,  /* sealed, but not behind the line before it: one of the two was made anew */
	AUDIT_LOST,       /* the record of this seq is nowhere */
	AUDIT_REORDERED,  /* the record of this seq is further behind */
	AUDIT_DUPLICATED, /* the record of this seq is there a second time */
	AUDIT_CUT,        /* the line has no end: of a loss of power that no server has seen yet, or somebody's */
	AUDIT_HEADLESS,   /* the chain does not lead to the head that was published: it was cut off or rewritten */
};

struct audit_check {
	/* Set before the first line. */
	bool is_part;       /* a file of its own that begins with an event "segment" may begin anywhere in the chain */
	const char *after;  /* the hash behind which it goes on, where files were moved away; NULL: it begins with seq 1 */
	int64_t wanted_seq; /* of the published head; 0: not known */
	const char *wanted; /* its hash; NULL: none to look for */
	/* What was found. */
	struct audit_head head;
	int64_t first_seq;   /* 0: there was no line */
	unsigned torn_count; /* events that tell of a loss of power */
	enum audit_fault fault;
	int64_t fault_seq;
	bool is_wanted_found;
};

/* A line without its end; has_end: it had one. False: there is a fault; then lines are looked at only for where a lost record is. */
bool audit_check_line(struct audit_check *check, const char *text, size_t size, bool has_end);
/* After the last line. False: there is a fault. */
bool audit_check_end(struct audit_check *check);

/* "altered" and so on. */
const char *audit_fault_name(enum audit_fault fault);

#endif
