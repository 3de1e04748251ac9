/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_line.h - one line of the audit: how it is sealed, and whether it still is as it was sealed.
 *
 *     {"seq":7,"time":"2027-03-01T06:30:00.000Z","server":"line-1",EVENT...,"prev":"64 hex digits","hash":"64 hex digits"}
 *
 * prev is the hash of line 6. hash is the SHA-256 (FIPS 180-4) of the line's exact bytes without `,"hash":"..."` and without the line end:
 * so prev is in it, and with it every line before. prev of line 1 is 64 zeros. [any thread]
 */
#ifndef CORE_SERVICE_AUDIT_LINE_H
#define CORE_SERVICE_AUDIT_LINE_H

#include "core/base/buffer.h"

#include <pep/plugin.h>

#define AUDIT_LINE_LIMIT 65536u /* bytes of a line with its end */
#define AUDIT_TIME_SIZE 24u     /* "2027-03-01T06:30:00.000Z": such texts sort by time */
#define AUDIT_HASH_SIZE 64u

struct audit_head {
	int64_t seq; /* of the last line; 0: there is none */
	char hash[AUDIT_HASH_SIZE + 1];
};
#define AUDIT_HEAD_SIZE (20u + 1u + AUDIT_HASH_SIZE + 1u)
/* As it is published: "SEQ HASH". */
void audit_head_text(const struct audit_head *head, char ret_text[AUDIT_HEAD_SIZE]);
/* The head of a chain without a line. */
extern const struct audit_head audit_genesis;

/* RFC 3339 with milliseconds, in UTC. Times before 1970 or after 9999 become the nearest that can be written. */
void audit_time(int64_t at_ms, char ret_time[AUDIT_TIME_SIZE + 1]);

/* Append the line behind `head`, which becomes its own. `members` is what a JSON object has between its braces; `server` becomes JSON. */
void audit_line_seal(struct buffer *out, struct audit_head *head, const char *time, const char *server, const char *members);

/* A line without its end, looked at; all pointers are into it. */
struct audit_line {
	const char *text;
	size_t size;
	int64_t seq;
	const char *time, *prev, *hash; /* not NUL-terminated */
};
/* Has it the form of a line? Says nothing about whether it is genuine. */
bool audit_line_read(const char *text, size_t size, struct audit_line *ret_line);
/* Is its hash that of its bytes? */
bool audit_line_is_sealed(const struct audit_line *line);
/* Is it the one that comes next behind `head`? */
bool audit_line_follows(const struct audit_line *line, const struct audit_head *head);
/* The head that it makes. */
struct audit_head audit_line_head(const struct audit_line *line);

#endif
