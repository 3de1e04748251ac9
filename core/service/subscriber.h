/* SPDX-License-Identifier: Apache-2.0
 *
 * subscriber.h - tells one subscriber of every deployed identity: at least once, in the order of dispatch, for as long as it takes.
 *
 * A turn looks for what is new behind the newest that was told, and once per interval from the cursor on for what was committed
 * late (core/service/cursor.h), tells it, and notes how far it is. The first failure ends the turn: the next one begins again with
 * the same identity, as the store has it then, after a time that doubles.
 */
#ifndef CORE_SERVICE_SUBSCRIBER_H
#define CORE_SERVICE_SUBSCRIBER_H

#include "core/plugin/instance.h"

#include <stdatomic.h>

/* All borrowed until subscriber_free(). */
struct subscriber_setup {
	const char *name;
	struct exporter *exporter;
	struct storage *storage;
	const char *data_dir, *owner;
	int64_t lease_ms;    /* of a claim: see cursor.h */
	int64_t interval_ms; /* how often it is looked for late ones */
	unsigned attempts;   /* of what is refused, before it is set aside */
	bool from_beginning;
	int64_t retry_ms, retry_longest_ms; /* after the first failure, and at most */
	const atomic_bool *stopping;
};

enum subscriber_state {
	SUBSCRIBER_STARTING,
	SUBSCRIBER_OK,
	SUBSCRIBER_FAILING, /* the other side does not take it */
	SUBSCRIBER_WAITING, /* the store does not answer */
	SUBSCRIBER_STANDBY, /* another server does it */
};

struct subscriber_report {
	const char *name;
	enum subscriber_state state;
	int64_t since_ms;  /* of the state, since 1970 */
	int64_t backlog;   /* not told yet; counted to 10,000 */
	int64_t delivered; /* since the start */
	size_t dead_letters;
	char error[256]; /* the last one; "" while all is well */
};

struct subscriber;

/* PEP_UNSUPPORTED: as note_open(). [main thread] */
pep_status subscriber_new(const struct subscriber_setup *setup, struct subscriber **ret_subscriber, struct pep_error *err);
void subscriber_free(struct subscriber *subscriber); /* NULL is fine */

/* What can be done now, a second of it at most and one delivery. Returns for how long there is nothing to do; *ret_is_patient: unless
 * something is deployed meanwhile. [one thread at a time, as all below] */
int64_t subscriber_turn(struct subscriber *subscriber, bool *ret_is_patient);
/* Notes how far it is, and lets another server go on. */
void subscriber_leave(struct subscriber *subscriber);
const struct subscriber_report *subscriber_report(const struct subscriber *subscriber);

#endif
