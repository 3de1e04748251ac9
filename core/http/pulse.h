/* SPDX-License-Identifier: Apache-2.0
 *
 * pulse.h - do the HTTP library's threads still turn? Each is given a connection whose other end is closed already; one that works
 * notices, and lets go of it. Nothing of it is seen from outside, and it takes no place of a peer's.
 */
#ifndef CORE_HTTP_PULSE_H
#define CORE_HTTP_PULSE_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>

struct pulse { /* zeroed */
	_Atomic(unsigned) given, answered;
};

/* Have all threads let go of what the beat before gave them? If so, and only then, each gets another. What cannot be given, because the
 * process has no descriptor left, counts as answered. [one thread] */
bool pulse_beat(struct pulse *pulse, struct MHD_Daemon *daemon, unsigned threads);
/* Is this connection one of those? [its HTTP thread] */
bool pulse_is_one(struct MHD_Connection *mhd);
/* It is closed. [its HTTP thread] */
void pulse_answer(struct pulse *pulse);
/* Is one under way, so that what the library logs may be about it? [any thread] */
bool pulse_is_under_way(const struct pulse *pulse);

#endif
