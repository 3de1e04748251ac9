/* SPDX-License-Identifier: Apache-2.0
 *
 * link.h - the pool of connections to the database, and what its server is.
 */
#ifndef PLUGINS_STORAGE_MONGO_LINK_H
#define PLUGINS_STORAGE_MONGO_LINK_H

#include "address.h"
#include "driver_log.h"

#include <pthread.h>

#define LINK_COLLECTION "edge_identities" /* as the original names it */

struct link {
	const struct pep_host *host;
	struct address address;
	mongoc_client_pool_t *pool;
	struct driver_log log;
	int64_t timeout_ms;
	bool replicated;       /* a replica set, or a router before one */
	pthread_mutex_t lock;  /* of what follows */
	int64_t down_until_ms; /* by CLOCK_MONOTONIC */
	struct pep_error down_error;
};

/* One connection of the pool, for one call. */
struct link_use {
	mongoc_client_t *client;
	mongoc_collection_t *collection;
};

/* Connects, and looks at the server: a writable one, MongoDB 4.4 or later. After success the link is not moved, and the caller
 * calls link_close(). */
pep_status link_open(struct link *link, const struct pep_host *host, const struct address_setup *setup, struct pep_error *err);
void link_close(struct link *link);

/* Waits for a connection as long as timeout_ms; PEP_UNAVAILABLE: all are in use, or somebody has just waited for a server in vain. The
 * driver drops those that a failure of another one has made doubtful. [any thread] */
pep_status link_take(struct link *link, struct link_use *ret_use, struct pep_error *err);
void link_give(struct link *link, struct link_use *use);

/* The server's clock, milliseconds since 1970 UTC; PEP_UNAVAILABLE: no server that takes writes answers. [any thread] */
pep_status link_ask(struct link *link, mongoc_client_t *client, int64_t *ret_now_ms, struct pep_error *err);

/* As fault_fail() with the link's name. Where there is no server, that is remembered for a moment. [any thread] */
pep_status link_fail(struct link *link, pep_status status, const bson_error_t *error, const char *doing, struct pep_error *err);

#endif
