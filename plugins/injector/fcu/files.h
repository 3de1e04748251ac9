/* SPDX-License-Identifier: Apache-2.0
 *
 * files.h - the state folder as the plugin sees it: the job and the result of each attempt, named by its nonce (job.h).
 */
#ifndef FCU_FILES_H
#define FCU_FILES_H

#include "result.h"

#include <pep/identity.h>

struct files {
	int folder;
	char *path; /* absolute */
};

/* Makes the folder if need be (0700). [one thread] */
pep_status files_open(const char *path, struct files *ret_files, struct pep_error *err);
void files_close(struct files *files);

/* 32 hex digits, which make a name that leads nowhere else. */
bool files_is_nonce(const char *nonce);

/* A new job, locked and on disk. *ret_job is a descriptor, the caller's to close; the lock goes on for as long as anybody has it open.
 * PEP_CONFLICT: this attempt has one already. PEP_UNAVAILABLE: it cannot be written; nothing is left. [any thread] */
pep_status files_make_job(const struct files *files, const struct pep_identity *id, int *ret_job, struct pep_error *err);

enum files_state {
	FILES_NONE = 1,    /* this attempt never had a job */
	FILES_RUNNING,     /* its runner lives */
	FILES_NOT_STARTED, /* no runner, and the tool was never started */
	FILES_LOST,        /* no runner and no result, but the tool may have run */
	FILES_FINISHED,    /* the result is there */
};
/* What became of the attempt. PEP_UNAVAILABLE: it cannot be looked at now. [any thread] */
pep_status files_look(const struct files *files, const struct pep_identity *id, enum files_state *ret_state, struct pep_error *err);

/* The same of an attempt whose runner is known to have ended: never FILES_RUNNING. Its lock says nothing any more: a runner that is just
 * being started by another thread has each descriptor of this process until its execve(). [any thread] */
pep_status files_look_ended(const struct files *files, const struct pep_identity *id, enum files_state *ret_state,
			    struct pep_error *err);

/* The result of a finished attempt. `text` has RESULT_SIZE_MAX bytes; ret_result->output lies in it. PEP_UNAVAILABLE: it cannot be read
 * now. PEP_INTERNAL: it is damaged. [any thread] */
pep_status files_read_result(const struct files *files, const struct pep_identity *id, char *text, struct result *ret_result,
			     struct pep_error *err);

/* Removes all of an attempt. [any thread] */
void files_remove(const struct files *files, const char *nonce);

#endif
