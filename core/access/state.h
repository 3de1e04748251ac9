/* SPDX-License-Identifier: Apache-2.0
 *
 * state.h - what struct access is, for the files of this folder.
 */
#ifndef CORE_ACCESS_STATE_H
#define CORE_ACCESS_STATE_H

#include "core/access/access.h"
#include "core/access/limiter.h"
#include "core/access/roster.h"

#include <pthread.h>

struct access {
	const struct config *config;
	char *path;               /* of the file of tokens; NULL: there is none */
	bool is_closed;           /* false: listens on loopback only, and every local process may do everything */
	struct limiter *rate;     /* by entry, or by address; NULL: any */
	struct limiter *failures; /* by address */
	pthread_rwlock_t lock;    /* guards: */
	struct roster *roster;    /* NULL: there is no file */
};

#endif
