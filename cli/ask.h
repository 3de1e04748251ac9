/* SPDX-License-Identifier: Apache-2.0
 *
 * ask.h - asks for the identity of one gateway: the request is on disk before it is sent, and its note goes when the outcome is known
 * and the identity is safe.
 *
 *     ask_open(), ask_prepare(), ask_exchange(), then ask_accept() when the identity is installed; ask_fini() always.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "cli/client.h"

#include <jansson.h>

struct pending;
struct sealing;

/* One request. The caller zeroes it, fills in the first part and keeps what that points to until ask_fini(). */
struct ask {
	const struct session *session;
	const char *serial;
	const char *folder;       /* real path of the folder that the identity is for */
	const char *state_folder; /* of the notes; NULL: none */
	const char *interval;     /* of a new sealing key; NULL: no sealing key */
	const char *server_name;  /* what the note calls the server; NULL: its address */
	struct settings settings; /* the ask's from here on */

	struct pending *pending;
	struct sealing *sealing; /* NULL: none is asked for */
	json_t *fields;          /* as sent */
	struct reply reply;
};

/* Looks whether such a request was left unfinished: ask_was_there(). Nothing is written. */
int ask_open(struct ask *ask, struct failure *err);
bool ask_was_there(const struct ask *ask);
/* Makes the sealing key and writes the request down, flushed. `fields` is taken over: what is sent, without the verification key. */
int ask_prepare(struct ask *ask, json_t *fields, struct failure *err);
/* Sends the request, and tidies up what was written down as far as its outcome is known: after EXIT_OK, or a failure that leaves it
 * open, the note stays. EXIT_OK: ask->reply is an identity, its body as the server wrote it. */
int ask_exchange(struct ask *ask, struct failure *err);
/* The identity is safe: the note goes. */
void ask_accept(struct ask *ask);
void ask_fini(struct ask *ask);

#endif
