/* SPDX-License-Identifier: Apache-2.0
 *
 * dispatch.h - makes dispatch ids: 24 hex digits that grow, so that the list can be walked in the order of completion.
 *
 * Eight digits are seconds since 1970, as in the ids of a database that was taken over, so old and new ones sort together. Then
 * three digits of milliseconds, three of a counter, and ten random ones, which keep the ids of several servers apart.
 */
#ifndef CORE_SERVICE_DISPATCH_H
#define CORE_SERVICE_DISPATCH_H

#include <pthread.h>
#include <stdint.h>

struct dispatch {
	pthread_mutex_t mutex;
	uint64_t last; /* the first 14 digits of the last id */
};

/* `newest`: the newest id in the store, or NULL; new ones are greater, also if the clock was set back. */
void dispatch_init(struct dispatch *dispatch, const char *newest);
void dispatch_fini(struct dispatch *dispatch);
/* A new id and a NUL, greater than any that was made here before. [any thread] */
void dispatch_next(struct dispatch *dispatch, int64_t now_ms, char ret_id[25]);
/* Another server has made `newest` ("": none): ids that are made here from now on are greater. [any thread] */
void dispatch_follow(struct dispatch *dispatch, const char *newest);
/* The least id that dispatch_next() can make at that time, and a NUL; all zeros before 1970. [any thread] */
void dispatch_floor(int64_t at_ms, char ret_id[25]);

#endif
