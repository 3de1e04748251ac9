/* SPDX-License-Identifier: Apache-2.0
 *
 * pending.h - attempts of an injector whose tool may outlive this server: one durable file each, from before the tool can start until
 * its outcome is recorded. What an earlier start left here is what the next one asks the injector about.
 *
 * The record is not enough for that: a later attempt, of another server too, may have taken it over meanwhile.
 *
 * An entry ends in two steps: once its outcome is recorded it is settled, and it is removed when the injector has dropped its files. A
 * server that dies between the two leaves it settled, and the next start drops them.
 */
#ifndef CORE_SERVICE_PENDING_H
#define CORE_SERVICE_PENDING_H

#include <pep/plugin.h>

struct pending;

/* "attempt N of this serial was begun by this start of this server". */
struct pending_entry {
	const char *serial, *nonce, *owner;
	uint32_t attempt;
};

/* Open the folder, made if absent (0700). The spool's lock keeps a second server out of this one, too. [main thread] */
pep_status pending_open(const char *folder, struct pending **ret_pending, struct pep_error *err);
void pending_close(struct pending *pending); /* NULL is fine. [main thread] */

/* PEP_OK: it survives a loss of power. PEP_INTERNAL: it may not, and the attempt must not go on. [any thread] */
pep_status pending_put(struct pending *pending, const struct pending_entry *entry, struct pep_error *err);
/* True: it is no longer pending, also after a loss of power. [any thread] */
bool pending_settle(struct pending *pending, const char *nonce);
/* One that is settled. May come back after a loss of power. [any thread] */
void pending_remove(struct pending *pending, const char *nonce);
/* Is it there, and not settled? [any thread] */
bool pending_has(struct pending *pending, const char *nonce);
/* Each entry that is not settled; `visit` may settle it. One that cannot be understood is reported in the log and kept. [one thread at a
 * time] */
void pending_walk(struct pending *pending, void (*visit)(void *context, const struct pending_entry *entry), void *context);
/* Each that is settled; `visit` may remove it. [one thread at a time] */
void pending_walk_settled(struct pending *pending, void (*visit)(void *context, const struct pending_entry *entry), void *context);

#endif
