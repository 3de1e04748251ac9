/* SPDX-License-Identifier: Apache-2.0
 *
 * cursor.h - where the next export may begin, so that nothing that was deployed is ever missed.
 *
 * Records are walked by their dispatch id, which is made for the write that says deployed. Writes are not confirmed in the order of
 * their ids: with several servers, or a slow commit, a record can appear *behind* newer ones that somebody has exported already. So
 * "behind the last one that I have seen" would miss it. A cursor is instead a dispatch id below which nothing can appear any more:
 *
 *   - A record that is not deployed yet has a lease, which its server renewed before it made the dispatch id. So no id that is
 *     still to come of it is older than its lease is, and a write that is under way applies only while the lease is there to be seen
 *     (it compares the revision). The earliest lease of the store, less its length, is a bound.
 *   - An attempt that begins later gets its dispatch id later than the clock shows now.
 *   - What was in doubt or failed, and turns out to have been delivered (an outcome from the spool), has no lease. Its write takes
 *     an id of the moment and is given up by every storage within seconds: CURSOR_MARGIN_MS covers it.
 *   - The newest id there is: every server continues behind it (recovery tells it to them), also when a clock was set back.
 *
 * The cursor is the smallest of these. Exports that continue from it repeat what was deployed in between, and never miss.
 */
#ifndef CORE_SERVICE_CURSOR_H
#define CORE_SERVICE_CURSOR_H

#include "core/plugin/instance.h"

#define CURSOR_MARGIN_MS \
	60000 /* also longer than the clocks of the servers of one store, where it has none of its own, may differ */

/* The cursor of this moment: 24 hex digits and a NUL, to be taken *before* the scan that it goes with. `lease_ms`: length of a
 * lease; all servers of a store must have the same. [any thread] */
pep_status cursor_now(struct storage *storage, int64_t lease_ms, char ret_cursor[25], struct pep_error *err);

/* The newest dispatch id of what is deployed; "" if there is none. [any thread] */
pep_status cursor_newest(struct storage *storage, char ret_id[25], struct pep_error *err);

#endif
