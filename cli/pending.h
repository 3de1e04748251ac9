/* SPDX-License-Identifier: Apache-2.0
 *
 * pending.h - a request for an identity whose outcome is not known yet, kept on disk so that its retry is the same request.
 *
 * One file of mode 0600 in the state folder per (folder of identity.json, server, serial number, with or without sealing key). It
 * holds the Idempotency-Key, the fields that it stands for and, with -k, the new verification key. Where the state folder cannot
 * be written it is .identity.json.pending beside identity.json.
 */
#ifndef CLI_PENDING_H
#define CLI_PENDING_H

#include "cli/exit.h"

#include <jansson.h>
#include <stdbool.h>

struct pending;

/* What a request is told apart by. Borrowed for the call. */
struct pending_name {
	const char *folder; /* real path of the folder of identity.json */
	const char *server; /* without user name and password */
	const char *serial;
	bool with_key; /* -k: has a file of its own */
};

/* $XDG_STATE_HOME/pep, or $HOME/.local/state/pep. NULL: neither is set to an absolute path. The caller frees it. */
char *pending_state_folder(void);

/* Looks for an unfinished request of that name. EXIT_OK whether there is one or not; EXIT_LOCAL_FILE: there is one that cannot be
 * understood. `state_folder` may be NULL. The result is the caller's until pending_close(), which leaves the file alone. */
int pending_open(const char *state_folder, const struct pending_name *name, struct pending **ret_pending, struct failure *err);
void pending_close(struct pending **pending);

/* Whether an earlier request was left unfinished. */
bool pending_was_there(const struct pending *pending);
/* The verification key of the unfinished request; NULL: none. Lives as long as the pending. */
const char *pending_verification_key(const struct pending *pending);
/* The file of another unfinished request that has a verification key; NULL: none. The caller frees it. */
char *pending_other_with_key(const struct pending *pending);

/* Makes sure that the request with these fields is on disk, flushed, before it is sent. The same fields as those of the unfinished
 * request: nothing is written, its Idempotency-Key stays. Others: a new one. `verification_key` NULL: none. */
int pending_save(struct pending *pending, json_t *fields, const char *verification_key, struct failure *err);
/* 32 hex digits, after pending_save(). */
const char *pending_idempotency_key(const struct pending *pending);
/* Its outcome is known: removes the file, durably. */
void pending_remove(struct pending *pending);

#endif
