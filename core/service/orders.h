/* SPDX-License-Identifier: Apache-2.0
 *
 * orders.h - the production orders of a store, which all its servers share: which serials they expect, and how many are left.
 *
 * Notes of the store keep them: `orders` lists them, `order.ID` says what one is, `order.ID.list.N` has its serials, `order.ID.count`
 * what was given out (core/service/order_counter.h). A place in an order is taken after the claim of the serial and before anything is
 * sent; while the record shows that somebody is at it, the place stays, otherwise the record says what becomes of it: order_settle.c.
 */
#ifndef CORE_SERVICE_ORDERS_H
#define CORE_SERVICE_ORDERS_H

#include "core/plugin/instance.h"
#include "core/service/order.h"

struct orders;

/* `is_required`: without an order nothing is expected. PEP_UNSUPPORTED: the store keeps no notes. [main thread] */
pep_status orders_open(struct storage *storage, bool is_required, struct orders **ret_orders, struct pep_error *err);
void orders_close(struct orders *orders); /* NULL is fine. [main thread, after every other call returned] */

enum orders_verdict {
	ORDERS_FREE = 1,     /* there are no orders, and none is required */
	ORDERS_EXPECTED,     /* *ret_place is filled */
	ORDERS_NOT_EXPECTED, /* no open order expects this serial now */
	ORDERS_FULL,         /* those that expect it have no place left; *ret_place is the last of them */
	ORDERS_UNSETTLED,    /* likewise, but only since TALLY_HELD_MAX serials hold a place there */
};

/* Where a serial belongs. Texts are in the arena of the call. */
struct orders_place {
	char id[ORDER_ID_ROOM];
	const char *name;
	int64_t quantity;
	const char *fields[ORDER_FIELD_COUNT];
};

/* What holds for a serial now, by what every server of the store has said before. Nothing is taken. [any thread] */
pep_status orders_admit(struct orders *orders, struct arena *arena, const char *serial, enum orders_verdict *ret_verdict,
			struct orders_place *ret_place, struct pep_error *err);
/* By who holds the claim `attempt`, before anything is sent: take a place. ORDERS_EXPECTED: it is taken, durably. Without PEP_OK it may be
 * taken; the claim is to be ended. [any thread] */
pep_status orders_hold(struct orders *orders, const struct orders_place *place, const char *serial, uint32_t attempt,
		       enum orders_verdict *ret_verdict, struct pep_error *err);
/* The attempt has ended, and its record says how. What fails is left to orders_recover(). [any thread] */
void orders_settle(struct orders *orders, const struct orders_place *place, const char *serial);
/* Look at every place that is held: its serial may be settled since, by anybody. Now and then. [one thread at a time] */
pep_status orders_recover(struct orders *orders, struct pep_error *err);

/* Write a new one. Texts are borrowed; the list is sorted. PEP_CONFLICT: there is one of this name. PEP_LIMIT: too many are open.
 * [any thread] */
pep_status orders_add(struct orders *orders, const struct order *order, struct pep_error *err);
/* Nobody gets a place in it any more. PEP_NOT_FOUND; PEP_CONFLICT: it is closed. [any thread] */
pep_status orders_end(struct orders *orders, const char *name, struct pep_error *err);
/* Each order as an object, oldest first: order_to_json() with "open", "closed_ms", "done" (deployed) and "reserved" (may become the
 * next). `open_only`: those that are open. *ret_list is the caller's. [any thread] */
pep_status orders_json(struct orders *orders, bool open_only, json_t **ret_list, struct pep_error *err);
/* One of them, with "held": the serials that hold a place. PEP_NOT_FOUND. [any thread] */
pep_status orders_show(struct orders *orders, const char *name, json_t **ret_order, struct pep_error *err);
/* The name of an open order with this serial in its list; "": none. As it was when an order was looked at last. [any thread] */
void orders_find_listed(struct orders *orders, const char *serial, char ret_name[ORDER_NAME_MAX + 1]);

#endif
