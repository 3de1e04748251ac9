/* SPDX-License-Identifier: Apache-2.0
 *
 * key.h - the journald sealing key of this machine: a new one is made without losing the old one before the server has taken the new.
 *
 * Making a key destroys the old one (journalctl --setup-keys --force). So the old file is copied first; the copy goes when the server
 * accepted the new key, and comes back when it refused. All by sudo, the file belongs to root. A kill at any point leaves
 * either the copy or a note (pending.h) from which the next call goes on.
 */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include "cli/pending.h"
#include "cli/session.h"

struct sealing;

/* Longest first line of journalctl that is taken for a key, with its NUL: what the server takes. */
enum { KEY_ROOM = 512 };

/* A verification key to send: that of the unfinished request if there is one, else a new one. Holds a lock against another pep-cli on
 * this machine until key_end(). EXIT_OTHER: no key, and the old one is as it was. */
int key_begin(const struct session *session, const struct pending *pending, const char *interval, struct sealing **ret_sealing,
	      struct failure *err);
/* Lives as long as the sealing. */
const char *key_text(const struct sealing *sealing);
/* The server has the new key: the copy of the old one goes. False: it could not be removed. */
bool key_accept(const struct session *session, struct sealing *sealing);
/* The server will never have the new key: the old one comes back. The note must be gone before. */
void key_restore(const struct session *session, struct sealing *sealing);
/* NULL: nothing. Wipes the key from memory. */
void key_end(struct sealing **sealing);

#endif
