/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_reader.h - the lines of an audit, from its first file to its last, also while a server writes it.
 */
#ifndef CORE_SERVICE_AUDIT_READER_H
#define CORE_SERVICE_AUDIT_READER_H

#include "core/service/audit_line.h"

struct audit_reader;

/* A folder, or one of its files. PEP_NOT_FOUND: there is no audit in it. PEP_UNAVAILABLE: it cannot be read. [any thread] */
pep_status audit_reader_open(const char *path, struct audit_reader **ret_reader, struct pep_error *err);
void audit_reader_close(struct audit_reader *reader); /* NULL is fine */

/* Before the first audit_reader_next(): leave out most of what is before `seq`, or older than `since_ms` (0: any). What comes then may still begin
 * before, as times are in order within a minute only: look at each line, too. Reads a few lines of a few files. [one thread at a time] */
pep_status audit_reader_seek(struct audit_reader *reader, int64_t seq, int64_t since_ms, struct pep_error *err);

struct audit_reader_line {
	const char *text; /* until the next call; not NUL-terminated; NULL: the end */
	size_t size;      /* without its end */
	const char *file; /* its name in the folder */
	int64_t number;   /* in the file, from 1; after a seek it counts from there */
	bool has_end;     /* false: the file ends in the middle of it, or it is longer than any line can be */
};
/* PEP_UNAVAILABLE: a file cannot be read any further. [one thread at a time] */
pep_status audit_reader_next(struct audit_reader *reader, struct audit_reader_line *ret_line, struct pep_error *err);

/* A process has the folder open for writing, so that the last line may be on its way. [one thread at a time] */
bool audit_reader_is_written(const struct audit_reader *reader);

#endif
