/* SPDX-License-Identifier: Apache-2.0
 *
 * exit.h - the exit codes, what a failure is, and which code a reply of the server means. [any thread]
 */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include <stdbool.h>
#include <stddef.h>

enum {
	EXIT_OK = 0,
	EXIT_OTHER = 1,
	EXIT_USAGE = 2,
	EXIT_CONFIGURATION = 3,
	EXIT_UNREACHABLE = 4,
	EXIT_UNAUTHORISED = 5,
	EXIT_EXISTS = 6,
	EXIT_POLICY = 7,
	EXIT_GATEWAY_UNREACHABLE = 8,
	EXIT_GATEWAY_REFUSED = 9,
	EXIT_TIMEOUT = 10,
	EXIT_SERVER = 11,
	EXIT_LOCAL_FILE = 12,
	EXIT_NOT_FOUND = 13,
	EXIT_WARNINGS = 14, /* done, with warnings; only with --warn-exit */
	EXIT_INTERRUPTED = 130,
};

/* Why a command failed. The caller owns and zeroes it, the callee fills it; no pointers. */
struct failure {
	int exit_code;
	bool retryable;      /* the same command may well succeed later, unchanged */
	long http_status;    /* 0: no reply */
	char code[65];       /* one word: the server's Pep-Error, or ours: "usage", "local_file" */
	char request_id[65]; /* "": none */
	char message[1024];  /* one line: what was tried on what, why it failed, what to do; no secrets */
};

/* Fills *failure and returns exit_code, so that failing is one line. Whether it is retryable follows from the exit code. */
__attribute__((format(printf, 4, 5))) int failure_set(struct failure *failure, int exit_code, const char *code, const char *format,
						      ...);
/* The failure that a complete reply other than a usable 200 means: exit code, code, retryable and HTTP status; no message.
 * `pep_error` is the header, NULL when the server (the original one) sends none; then status and text decide. */
void failure_from_reply(long http_status, const char *pep_error, const char *body, size_t body_size, struct failure *ret_failure);

#endif
