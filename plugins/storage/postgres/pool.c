/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include "wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define TRIES_MAX 3
#define PAUSE_MS 200 /* between two failed connections, so that a server that is down is not buried in them */

struct pool {
	struct connect_settings *settings;
	int64_t wait_timeout_ms;
	pthread_mutex_t lock;
	pthread_cond_t given;
	unsigned count_max, count; /* connections that may be there; that are there or being opened */
	struct session **idle;     /* the one used last is taken first: its server process is warm */
	unsigned idle_count;
	int64_t down_until_ms;
	struct pep_error down_error;
};

pep_status pool_new(struct connect_settings *settings, unsigned connection_count, int64_t wait_timeout_ms, struct pool **ret_pool,
		    struct pep_error *err)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	pthread_condattr_t attributes;

	if (pool)
		pool->idle = calloc(connection_count, sizeof(struct session *));
	if (!pool || !pool->idle) {
		free(pool);
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot make a pool of connections: out of memory");
	}
	pool->settings = settings;
	pool->count_max = connection_count;
	pool->wait_timeout_ms = wait_timeout_ms;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&pool->given, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	*ret_pool = pool;
	return PEP_OK;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	while (pool->idle_count > 0)
		session_close(pool->idle[--pool->idle_count]);
	(void)pthread_cond_destroy(&pool->given);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool->idle);
	free(pool);
}

/* With the lock: an idle connection, or room for a new one (*ret_session is NULL), as soon as there is either. */
static pep_status wait_for_place(struct pool *pool, struct session **ret_session, struct pep_error *err)
{
	int64_t deadline_ms = wire_now_ms() + pool->wait_timeout_ms;
	struct timespec deadline = {.tv_sec = (time_t)(deadline_ms / 1000), .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
	int code = 0;

	while (pool->idle_count == 0 && pool->count == pool->count_max && code == 0)
		code = pthread_cond_timedwait(&pool->given, &pool->lock, &deadline);
	if (pool->idle_count > 0) {
		*ret_session = pool->idle[--pool->idle_count];
		return PEP_OK;
	}
	if (pool->count == pool->count_max)
		return pep_fail(
			err, PEP_UNAVAILABLE, ETIMEDOUT,
			"all %u connections to PostgreSQL were busy for %lld ms: look at its load, or raise storage.connections",
			pool->count_max, (long long)pool->wait_timeout_ms);
	pool->count++;
	*ret_session = NULL;
	return PEP_OK;
}

/* The place is ours: fill it, or give it up. */
static pep_status fill_place(struct pool *pool, struct session **ret_session, struct pep_error *err)
{
	struct pep_error own = {0};
	pep_status status = PEP_OK;

	(void)pthread_mutex_lock(&pool->lock);
	if (wire_now_ms() < pool->down_until_ms) {
		own = pool->down_error;
		status = own.status;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	if (status == PEP_OK) {
		status = session_open(pool->settings, ret_session, &own);
		if (status == PEP_OK)
			return PEP_OK;
		(void)pthread_mutex_lock(&pool->lock);
		pool->down_until_ms = wire_now_ms() + PAUSE_MS;
		pool->down_error = own;
		(void)pthread_mutex_unlock(&pool->lock);
	}
	pool_give(pool, NULL, true);
	if (err)
		*err = own;
	return status;
}

pep_status pool_take(struct pool *pool, struct session **ret_session, struct pep_error *err)
{
	struct session *session = NULL;
	pep_status status;

	(void)pthread_mutex_lock(&pool->lock);
	status = wait_for_place(pool, &session, err);
	(void)pthread_mutex_unlock(&pool->lock);
	if (status != PEP_OK)
		return status;
	if (session && !session_is_well(session)) {
		session_close(session);
		session = NULL;
	}
	if (!session)
		return fill_place(pool, ret_session, err);
	*ret_session = session;
	return PEP_OK;
}

void pool_give(struct pool *pool, struct session *session, bool failed)
{
	if (failed)
		session_close(session);
	(void)pthread_mutex_lock(&pool->lock);
	if (failed) {
		pool->count--;
	} else {
		pool->idle[pool->idle_count++] = session;
		pool->down_until_ms = 0; /* it is not down: nobody is refused because of one connection that could not be opened */
	}
	(void)pthread_cond_signal(&pool->given);
	(void)pthread_mutex_unlock(&pool->lock);
}

/* One of them was not answered: the way to the server, or the server, may have forgotten the others, too, and each would have to be waited
 * for. New ones tell soon. */
static void drop_idle(struct pool *pool)
{
	struct session *session;

	do {
		(void)pthread_mutex_lock(&pool->lock);
		session = pool->idle_count > 0 ? pool->idle[--pool->idle_count] : NULL;
		(void)pthread_mutex_unlock(&pool->lock);
		if (session)
			pool_give(pool, session, true);
	} while (session);
}

pep_status pool_run(struct pool *pool, enum pool_kind kind, const struct session_call *call, PGresult **ret_result,
		    struct pep_error *err)
{
	pep_status status = PEP_UNAVAILABLE;
	bool again = true;

	for (unsigned tries = 0; again && tries < TRIES_MAX; tries++) {
		struct session *session;

		/* Whatever the reason: nothing was sent. */
		if (pool_take(pool, &session, err) != PEP_OK) {
			status = PEP_UNAVAILABLE;
			break;
		}
		status = session_run(session, call, pool->settings->query_timeout_ms, ret_result, &again, err);
		pool_give(pool, session, status != PEP_OK && status != PEP_CONFLICT && status != PEP_INVALID);
		if (status == PEP_UNKNOWN && !again)
			drop_idle(pool);
		if (status == PEP_UNKNOWN && kind == POOL_WRITE)
			break;
	}
	if (status == PEP_UNKNOWN && kind == POOL_READ)
		status = PEP_UNAVAILABLE;
	if (status != PEP_OK && err)
		err->status = status;
	return status;
}
