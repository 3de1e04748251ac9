/* SPDX-License-Identifier: Apache-2.0
 *
 * subscription.h - who tells a subscriber, and how far he has been told: read from the note, and written to it.
 *
 * Of several servers on one store one holds the subscription: it has written its name and a time into the note, and writes a later
 * time before that one comes. Each write compares the note's revision, so a server that was away learns with its next write that
 * another has taken over.
 */
#ifndef CORE_SERVICE_SUBSCRIPTION_H
#define CORE_SERVICE_SUBSCRIPTION_H

#include "core/service/note.h"
#include "core/service/progress.h"

#define SUBSCRIPTION_LEASE_MS 90000 /* three times what a delivery may take */

struct subscription {
	struct note note;
	const char *owner; /* "NAME/START" of this start */
	bool is_held;      /* by this server; what follows is then true */
	struct progress progress;
	bool is_changed;    /* progress is not in the note yet */
	int64_t written_ms; /* clock_boot_ms() of the last write */
	struct buffer text; /* so that the memory for a write is there already */
};

/* Does another server hold it, or may? Then PEP_CONFLICT, and *err says who. PEP_OK: it is held by this one, and subscription->progress is
 * where to go on; a cursor of "" is for the caller to set: nobody was ever told. Call subscription_write() then. */
pep_status subscription_take(struct subscription *subscription, struct pep_error *err);
/* Note how far it is, and renew the time. PEP_CONFLICT: another server has it now; it is not held any more. Else it still is, and a
 * failed write is to be tried again. */
pep_status subscription_write(struct subscription *subscription, struct pep_error *err);
/* Note how far it is, and that nobody holds it. */
void subscription_leave(struct subscription *subscription);
/* Does the time need to be renewed now? */
bool subscription_is_due(const struct subscription *subscription);

#endif
