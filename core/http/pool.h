/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.h - a bounded number of threads that work off a bounded queue, oldest first. Threads are made when there is work for them.
 */
#ifndef CORE_HTTP_POOL_H
#define CORE_HTTP_POOL_H

#include <pep/plugin.h>

struct pool;

/* Part of whatever is to be worked on. `run` may free it or submit it again: the pool does not look at it any more. */
struct pool_job {
	void (*run)(struct pool_job *job);
	struct pool_job *next; /* the pool's own */
};

/* A pool with at most `threads` (at least 1) threads, and room for `queue` jobs that wait for one. Threads have the signal mask of
 * the thread that made them. */
pep_status pool_start(unsigned threads, unsigned queue, struct pool **ret_pool, struct pep_error *err);
/* False: every thread is busy and the queue is full. [any thread] */
bool pool_submit(struct pool *pool, struct pool_job *job);
/* The same without a bound, for what was let in already: the rest of work that gave its thread back. [any thread] */
void pool_continue(struct pool *pool, struct pool_job *job);
/* Wait until nothing is queued and nothing runs. [any thread but the pool's] */
void pool_settle(struct pool *pool);
/* Work off what is queued, end the threads, free the pool. NULL is fine. [any thread but the pool's] */
void pool_stop(struct pool *pool);

#endif
