/* SPDX-License-Identifier: Apache-2.0
 *
 * records.h - records and requests for the tests of machine.c.
 */
#ifndef TESTS_UNIT_SERVICE_RECORDS_H
#define TESTS_UNIT_SERVICE_RECORDS_H

#include "core/service/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* NOW is when every event happens; LEASE is how long a lease lasts. */
enum { NOW = 1000000, LEASE = 60000 };

/* A record in this state at revision 7: attempt 3 was the last claim. While claimed, attempt 2 had contacted (its members are there:
 * "A-2", "dispatch-2", "old" fields) and `before` is failed; else attempt 3 has contacted ("A-3" from issued on, "dispatch-3" if
 * deployed). Active states have a lease until NOW + 1. */
struct pep_identity record_in(uint32_t state);
/* Claimed by attempt 3 over what attempt 2 left behind. */
struct pep_identity record_claimed_over(uint32_t before);

/* What a new request says: key "key-new", digest "digest-new", "new" everywhere else. */
struct pep_identity request_fields(void);

/* Attempt 3 with its nonce; the holder in record_in(). */
struct machine_attempt holder(void);
/* Attempt 2, whose nonce is forgotten. */
struct machine_attempt earlier(void);

/* Everything of a and b but state, before, lease and reason is the same. */
void assert_same_but_state(const struct pep_identity *a, const struct pep_identity *b);
/* Not one byte of the output was touched: it is as untouched() made it. */
struct pep_identity untouched(void);
void assert_untouched(const struct pep_identity *next);

#endif
