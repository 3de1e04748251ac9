/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.h - the store's clock, without asking it each time.
 *
 * A new gateway needs the time five times, and a question to the server takes as long as a read. So the server's clock is looked at once a
 * second, and between two looks this computer's monotonic clock goes on with it, also while the process is paused.
 */
#ifndef PLUGINS_STORAGE_POSTGRES_WATCH_H
#define PLUGINS_STORAGE_POSTGRES_WATCH_H

#include "pool.h"

#include <pthread.h>

#define WATCH_FRESH_MS 1000 /* how long a look is good for, from its question on */

struct watch {
	pthread_mutex_t lock;
	int64_t looked_boot_ms; /* when the last question left, by CLOCK_BOOTTIME; 0: never */
	int64_t ahead_ms;       /* the store's clock minus CLOCK_BOOTTIME */
};

void watch_init(struct watch *watch);
void watch_fini(struct watch *watch);

/* The present time. Never later than the store's own would be, unless that is set back; and never earlier than the store's was when
 * this was called, by more than WATCH_FRESH_MS. [any thread] */
pep_status watch_now(struct watch *watch, struct pool *pool, int64_t *ret_ms, struct pep_error *err);
/* Asks the server, in any case. *ret_writable: does it take writes? [any thread] */
pep_status watch_look(struct watch *watch, struct pool *pool, bool *ret_writable, struct pep_error *err);

#endif
