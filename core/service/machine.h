/* SPDX-License-Identifier: Apache-2.0
 *
 * machine.h - the life of one identity as pure functions: (record, event) -> next record, or why not.
 *
 * Nothing here reads a clock, a store or a random number. Numbers of rows are those of the table in docs/identity-life.md.
 * `record` is what was read from the store. *ret_next is complete and ready for update() at the revision that was read (its
 * revision is record's; storage adds one) or, from machine_request() without a record, for insert(). Its texts are borrowed from
 * record, event and arena. It is written only with MACHINE_WRITE. [any thread]
 */
#ifndef CORE_SERVICE_MACHINE_H
#define CORE_SERVICE_MACHINE_H

#include "core/base/arena.h"

#include <pep/identity.h>

enum machine_verdict {
	MACHINE_WRITE = 1,   /* store *ret_next */
	MACHINE_ALREADY,     /* the record says so already: nothing to write */
	MACHINE_REPLAY,      /* row 4: deployed by a request with the same key and digest */
	MACHINE_EXISTS,      /* row 5 */
	MACHINE_MISMATCH,    /* the same idempotency key with other fields */
	MACHINE_IN_PROGRESS, /* row 3 */
	MACHINE_NOT_MINE,    /* the attempt does not hold the record (any more) */
	MACHINE_REFUSED,     /* the event does not fit the state, or the evidence is not enough */
	MACHINE_NO_MEMORY,
};

/* Which attempt an event is about. Mine: claimed with this nonce, or contacted = attempt. */
struct machine_attempt {
	uint32_t attempt;
	const char *nonce;
};

/* Somebody asks for an identity: rows 1 to 6, with row 13 inside 2. */
struct machine_request {
	/* serial and the request's fields, idempotency_key, request_digest, station, request_id; nothing else is looked at */
	const struct pep_identity *fields;
	const char *nonce, *owner;
	int64_t now_ms, lease_ms;
	bool opaque;         /* the injector cannot call issued() */
	const char *replace; /* row 6: the enrollment id that a reprovisioning grant names; NULL: no grant */
};
enum machine_verdict machine_request(struct arena *arena, const struct pep_identity *record, const struct machine_request *event,
				     struct pep_identity *ret_next);

/* Row 7: connected, nothing sent. `fields` as in machine_request. */
struct machine_contact {
	struct machine_attempt by;
	const struct pep_identity *fields;
	int64_t now_ms, lease_ms;
	bool opaque;
	const char *enrollment_id; /* not NULL: the certificate was ready before connecting, rows 7 and 8 in one write */
};
enum machine_verdict machine_contact(struct arena *arena, const struct pep_identity *record, const struct machine_contact *event,
				     struct pep_identity *ret_next);

/* Row 8, from contacted: the certificate is ready. */
struct machine_issue {
	struct machine_attempt by;
	const char *enrollment_id;
	int64_t now_ms, lease_ms;
};
enum machine_verdict machine_issue(const struct pep_identity *record, const struct machine_issue *event,
				   struct pep_identity *ret_next);

/* Rows 9 and 9h: the gateway said that it has it. Not fenced by nonce, revision or lease. */
struct machine_delivery {
	uint32_t attempt;
	const char *enrollment_id, *dispatch_id; /* dispatch_id: new, used only if row 9 applies */
	const char *owner;                       /* whose attempt it was: the last claim may be another's; NULL: the record's */
	int64_t now_ms;
};
enum machine_verdict machine_deliver(struct arena *arena, const struct pep_identity *record, const struct machine_delivery *event,
				     struct pep_identity *ret_next);
/* Is this delivery in the record: deployed with contacted = attempt (also as `before`, or retired since), or delivered in its
 * history? Then a spooled outcome may be removed. */
bool machine_has_delivery(const struct pep_identity *record, uint32_t attempt);

/* Rows 10, 11 and 12: it ended otherwise. */
enum machine_end_kind { MACHINE_END_NOT_SENT = 1, MACHINE_END_REFUSED, MACHINE_END_DOUBTFUL };
struct machine_end {
	struct machine_attempt by;
	enum machine_end_kind kind;
	const char *enrollment_id; /* DOUBTFUL: the candidate, if the record does not have it (opaque); may be NULL */
	const char *reason;
};
enum machine_verdict machine_end(const struct pep_identity *record, const struct machine_end *event, struct pep_identity *ret_next);

/* Row 13: a lease has expired, or the holder is an earlier start of this very server. */
struct machine_lapse {
	int64_t now_ms;
	const char *own_name;  /* what the owners of this very server's earlier starts begin with; NULL: only the lease counts */
	const char *own_owner; /* of this start: not lapsed before its time */
	bool opaque;
};
enum machine_verdict machine_lapse(const struct pep_identity *record, const struct machine_lapse *event,
				   struct pep_identity *ret_next);

/* Row 14: an operator brings evidence for what is in doubt. */
struct machine_resolve {
	uint32_t attempt;   /* that the evidence is about: `contacted` as it was when the operator looked */
	bool deployed;      /* else failed */
	bool gateway_read;  /* failed needs both: the gateway was read ... */
	bool program_ended; /* ... and its factory program has ended */
	/* Read from the gateway. It must be the candidate's if there is one (then NULL will do, too), and is needed if not. */
	const char *enrollment_id;
	const char *dispatch_id;
	int64_t now_ms;
	const char *reason;
};
enum machine_verdict machine_resolve(const struct pep_identity *record, const struct machine_resolve *event,
				     struct pep_identity *ret_next);

/* Row 15. */
enum machine_verdict machine_retire(const struct pep_identity *record, const char *reason, struct pep_identity *ret_next);

#endif
