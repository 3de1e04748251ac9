/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.h - a bounded number of connections, opened when needed, taken for one statement each, and opened anew when lost.
 */
#ifndef PLUGINS_STORAGE_POSTGRES_POOL_H
#define PLUGINS_STORAGE_POSTGRES_POOL_H

#include "session.h"

struct pool;

/* `settings` is borrowed until pool_free(). No connection is opened yet. */
pep_status pool_new(struct connect_settings *settings, unsigned connection_count, int64_t wait_timeout_ms, struct pool **ret_pool,
		    struct pep_error *err);
void pool_free(struct pool *pool); /* NULL is fine. [after every other call returned] */

/* Takes a connection, waiting for a free one for wait_timeout_ms at most: PEP_UNAVAILABLE. For a while after a connection could not be
 * opened the callers that need a new one are refused at once. [any thread] */
pep_status pool_take(struct pool *pool, struct session **ret_session, struct pep_error *err);
/* Gives it back; `failed`: it is closed. [any thread] */
void pool_give(struct pool *pool, struct session *session, bool failed);

enum pool_kind { POOL_READ, POOL_WRITE };
/* Runs a statement on one of the connections. A read is repeated on another connection if its own was lost, either kind if the server
 * says that it was not done and may be tried again: up to three times in all. Results as wire_finish(), but never PEP_UNKNOWN for a read. [any thread] */
pep_status pool_run(struct pool *pool, enum pool_kind kind, const struct session_call *call, PGresult **ret_result,
		    struct pep_error *err);

#endif
