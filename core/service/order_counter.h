/* SPDX-License-Identifier: Apache-2.0
 *
 * order_counter.h - counts the orders of a store: their tallies, one note each, changed by compare and swap.
 *
 * Many servers may count in one store. Within a server, changes of one order that come at the same time become one write. A change may
 * be made twice without harm, so a lost answer is settled by reading and making it again.
 */
#ifndef CORE_SERVICE_ORDER_COUNTER_H
#define CORE_SERVICE_ORDER_COUNTER_H

#include "core/plugin/instance.h"
#include "core/service/order_tally.h"

struct counter;

enum counter_kind { COUNTER_HOLD = 1, COUNTER_DEPLOYED, COUNTER_RELEASE };
struct counter_change {
	enum counter_kind kind;
	const char *order_id; /* 16 hex digits */
	const char *serial;
	int64_t quantity; /* COUNTER_HOLD */
	uint32_t attempt; /* as `attempt` and `contacted` in order_tally.h */
};

/* A store that keeps notes; it outlives the counter. [main thread] */
pep_status counter_open(struct storage *storage, struct counter **ret_counter, struct pep_error *err);
void counter_close(struct counter *counter); /* NULL is fine */

/* PEP_OK: *ret_answer says what a COUNTER_HOLD got, of the others it is TALLY_HELD; a change is durable. Anything else: it may or may not
 * be there; of a place that nobody uses core/service/order_settle.c takes care. [any thread] */
pep_status counter_do(struct counter *counter, const struct counter_change *change, enum tally_answer *ret_answer,
		      struct pep_error *err);
/* As it is now in the store; *ret_tally is the caller's. [any thread] */
pep_status counter_read(struct counter *counter, const char *order_id, struct tally *ret_tally, struct pep_error *err);

#endif
