/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_file.h - the folder of the audit as its one writer sees it: where the chain ends, and how lines come behind that end.
 *
 * audit.jsonl grows to a limit, then becomes audit-000001.jsonl and a new one begins; so the file to look at always has the same name, and
 * what has a number does not change any more. One thread at a time.
 */
#ifndef CORE_SERVICE_AUDIT_FILE_H
#define CORE_SERVICE_AUDIT_FILE_H

#include "core/service/audit_folder.h"
#include "core/service/audit_tail.h"

#define AUDIT_FILE_NAME "audit.jsonl"
#define AUDIT_UNCHAINED_NAME "audit-unchained.jsonl"
#define AUDIT_WRITE_LIMIT 524288u /* bytes of one write */

struct audit_file {
	int folder, fd;  /* fd negative: to be opened again */
	off_t size;      /* of what counts, all of it on disk */
	bool holds_torn; /* behind `size` is what opening has found torn; it stays until its event takes its place */
	bool has_rest;   /* behind `size` there may be something that does not count; the next write takes its place */
	bool is_changed; /* somebody else has written to the file, replaced it or taken it away since it was opened */
	struct audit_head head;
	char previous[AUDIT_NAME_SIZE]; /* the last file that got a number; "": none did */
	char path[];                    /* of audit.jsonl */
};

/* Lock the folder and find the end of the chain; of what is found there in *ret_tail, `torn` is the caller's. A file that is unchained is
 * AUDIT_UNCHAINED_NAME from then on. PEP_CONFLICT: another process has the folder. */
pep_status audit_file_open(const char *folder, struct audit_file **ret_file, struct audit_tail *ret_tail, struct pep_error *err);
void audit_file_close(struct audit_file *file); /* NULL is fine */

/* Before each write: is the file there, and as it was left? Once it has `segment_size` bytes it gets a number, and a new one begins; then, or
 * when the old one was taken away, file->size is 0. */
pep_status audit_file_prepare(struct audit_file *file, off_t segment_size, struct pep_error *err);
/* Whole lines that end in `head`. PEP_OK: on disk, and file->head is `head`. Else they do not count; only a loss of power before the next
 * write can make them appear all the same. */
pep_status audit_file_write(struct audit_file *file, const char *lines, size_t size, const struct audit_head *head,
			    struct pep_error *err);

#endif
