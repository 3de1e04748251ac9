/* SPDX-License-Identifier: Apache-2.0
 *
 * attempt.h - one attempt under way: what provision.c and the witness that it gives to an injector share.
 */
#ifndef CORE_SERVICE_ATTEMPT_H
#define CORE_SERVICE_ATTEMPT_H

#include "core/service/provision.h"

struct attempt {
	struct provisioner *provisioner;
	struct arena *arena;
	const struct pep_identity *fields; /* of the request, with what its order decides */
	const struct pep_identity *record; /* as it was written or read last */
	const char *nonce;
	const char *replace;       /* the enrollment id that a grant replaces; NULL: none */
	struct orders_place place; /* where it is counted; name NULL: nowhere */
	uint32_t number;
	int64_t deadline_boot_ms;
	atomic_bool contacted;     /* the injector may ask cancelled() from another thread */
	pep_status witness_status; /* what the witness said when it said no */
	bool is_unrecorded;        /* how it ended is not in the record, and storage may tell us why */
};

/* The witness of rows 7 and 8. Lives as long as the attempt. */
struct pep_witness attempt_witness(struct attempt *attempt);

/* What an injector may call an enrollment identity: visible ASCII, since it goes into headers, that fits struct pep_injection. */
bool attempt_is_enrollment_id(const char *text);
/* "code: sentence", for a record; what a record must not hold becomes '?'. NULL: out of memory. */
const char *attempt_reason(struct arena *arena, enum provision_outcome outcome, const char *detail);

/* Is the serial expected, and what does its order decide? Nothing is taken yet. 0: go on; otherwise *err is filled. */
enum provision_outcome attempt_look_for_place(struct attempt *attempt, struct pep_error *err);
/* The claim is ours: take a place, or give the claim back. 0: go on. */
enum provision_outcome attempt_take_place(struct attempt *attempt, struct pep_error *err);

#endif
