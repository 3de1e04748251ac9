/* SPDX-License-Identifier: Apache-2.0
 *
 * meters.h - what this server has counted since its start, for /metrics. Relaxed atomics: nobody waits for a count.
 */
#ifndef CORE_SERVICE_METERS_H
#define CORE_SERVICE_METERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define METERS_ENDINGS 32u
#define METERS_BUCKETS 12u

/* How attempts can end: a closed list, so that no text of a gateway becomes a label. */
struct meters_ending {
	const char *result, *reason; /* as in the audit: outcome and code; NULL ends the list */
};
extern const struct meters_ending meters_endings[METERS_ENDINGS];
/* Upper bounds of the histogram in milliseconds. */
extern const int64_t meters_bounds_ms[METERS_BUCKETS];

struct meters_export {
	_Atomic(uint64_t) begun, refused, broken;
};

/* Zeroed at first. */
struct meters {
	_Atomic(uint64_t) endings[METERS_ENDINGS]; /* the last of the list: what is not in it */
	_Atomic(uint64_t) buckets[METERS_BUCKETS + 1];
	_Atomic(uint64_t) sum_ms;
};

/* An attempt has ended after `ms`. The histogram is of those that were at a gateway: deployed, failed, in_doubt. [any thread] */
void meters_add(struct meters *meters, const char *result, const char *reason, int64_t ms);

static inline void meters_count(_Atomic(uint64_t) *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline uint64_t meters_read(const _Atomic(uint64_t) *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
