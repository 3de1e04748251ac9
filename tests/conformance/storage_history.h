/* SPDX-License-Identifier: Apache-2.0
 *
 * storage_history.h - is there one order of all calls that explains what each was answered?
 *
 * The sequential reference is one register per serial: a revision and a value, which a write replaces if it names the revision. Since
 * every write makes the revision one more, the order of writes is known, and the check of linearizability (Herlihy and Wing 1990) is a
 * look at the times: nothing may have ended before something began that comes earlier in that order.
 */
#ifndef CONFORMANCE_STORAGE_HISTORY_H
#define CONFORMANCE_STORAGE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

enum history_kind {
	HISTORY_READ = 1, /* returned `revision` and `value`; both 0: there was none */
	HISTORY_WON,      /* a write that was confirmed: it made `revision`, with `value` */
	HISTORY_LOST,     /* a write at `revision` that was refused */
};

/* One call. Times are numbers from one counter, taken before the call and after it. */
struct history_event {
	enum history_kind kind;
	uint32_t serial, value;
	int64_t revision;
	uint64_t begin, end;
};

/* NULL: there is such an order. Else why not, in words that live until the program ends; *ret_bad is the event that does not fit. The events
 * get sorted. */
const char *history_check(struct history_event *events, size_t count, struct history_event *ret_bad);

#endif
