/* SPDX-License-Identifier: Apache-2.0
 *
 * traffic.h - what a listener counts, for who shows it: relaxed atomics, nothing else.
 */
#ifndef CORE_HTTP_TRAFFIC_H
#define CORE_HTTP_TRAFFIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_ROUTES 48u /* and one row for what has no route */
#define TRAFFIC_CLASSES 6u /* 1xx to 5xx are 1 to 5; 0: the peer had gone before there was an answer */

/* Zeroed at first. It outlives the listener. */
struct traffic {
	_Atomic(uint64_t) requests[TRAFFIC_ROUTES + 1][TRAFFIC_CLASSES]; /* by the route's place in its table */
	_Atomic(unsigned) injecting, waiting;                            /* of ROUTE_INJECT: with a worker, in the queue */
};

static inline void traffic_count(struct traffic *traffic, size_t route, unsigned status)
{
	size_t row = route < TRAFFIC_ROUTES ? route : TRAFFIC_ROUTES;
	size_t class = status / 100 < TRAFFIC_CLASSES ? status / 100 : 5;

	atomic_fetch_add_explicit(&traffic->requests[row][class], 1, memory_order_relaxed);
}

#endif
