/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/pool.h"

#include "core/base/cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Room for a JSON body nested as deep as its parser lets it. Only pages that were touched cost memory. */
#define STACK_SIZE ((size_t)1024 * 1024)

struct pool {
	pthread_mutex_t mutex;
	pthread_cond_t work;  /* there is a job, or the end */
	pthread_cond_t quiet; /* nothing is queued or running */
	struct pool_job *first, **last;
	unsigned queued, running;
	unsigned threads, threads_max, queue_max;
	bool stopping;
	pthread_t thread[];
};

static struct pool_job *take(struct pool *pool)
{
	struct pool_job *job = pool->first;

	pool->first = job->next;
	if (!pool->first)
		pool->last = &pool->first;
	pool->queued--;
	pool->running++;
	return job;
}

static void *work(void *argument)
{
	struct pool *pool = argument;
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&pool->mutex);

	for (;;) {
		struct pool_job *job;

		while (!pool->first && !pool->stopping)
			(void)pthread_cond_wait(&pool->work, lock);
		if (!pool->first)
			return NULL;
		job = take(pool);
		(void)pthread_mutex_unlock(lock);
		job->run(job);
		(void)pthread_mutex_lock(lock);
		if (--pool->running == 0 && !pool->first)
			(void)pthread_cond_broadcast(&pool->quiet);
	}
}

/* With the lock held. */
static int add_thread(struct pool *pool)
{
	pthread_attr_t attributes;
	int error = pthread_attr_init(&attributes);

	if (error)
		return error;
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	error = pthread_create(&pool->thread[pool->threads], &attributes, work, pool);
	(void)pthread_attr_destroy(&attributes);
	if (!error)
		pool->threads++;
	return error;
}

pep_status pool_start(unsigned threads, unsigned queue, struct pool **ret_pool, struct pep_error *err)
{
	struct pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pthread_t));
	int error;

	if (!pool)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "start a pool of %u threads: out of memory", threads);
	(void)pthread_mutex_init(&pool->mutex, NULL);
	(void)pthread_cond_init(&pool->work, NULL);
	(void)pthread_cond_init(&pool->quiet, NULL);
	pool->last = &pool->first;
	pool->threads_max = threads;
	pool->queue_max = queue;
	/* The first one now, so that a job that was taken is always worked on. */
	error = add_thread(pool);
	if (error) {
		pool_stop(pool);
		return pep_fail(err, PEP_LIMIT, error, "start a thread: %s; allow the server more threads or memory",
				strerror(error));
	}
	*ret_pool = pool;
	return PEP_OK;
}

/* With the lock held. */
static void enqueue(struct pool *pool, struct pool_job *job)
{
	job->next = NULL;
	*pool->last = job;
	pool->last = &job->next;
	pool->queued++;
	/* Without a new thread the job waits for one of the old: later, not never. */
	if (pool->running + pool->queued > pool->threads && pool->threads < pool->threads_max)
		(void)add_thread(pool);
	(void)pthread_cond_signal(&pool->work);
}

bool pool_submit(struct pool *pool, struct pool_job *job)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&pool->mutex);

	(void)lock;
	if (pool->stopping || pool->running + pool->queued >= pool->threads_max + pool->queue_max)
		return false;
	enqueue(pool, job);
	return true;
}

void pool_continue(struct pool *pool, struct pool_job *job)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&pool->mutex);

	(void)lock;
	enqueue(pool, job);
}

void pool_settle(struct pool *pool)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&pool->mutex);

	while (pool->first || pool->running)
		(void)pthread_cond_wait(&pool->quiet, lock);
}

static void tell_to_stop(struct pool *pool)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&pool->mutex);

	(void)lock;
	pool->stopping = true;
	(void)pthread_cond_broadcast(&pool->work);
}

void pool_stop(struct pool *pool)
{
	if (!pool)
		return;
	tell_to_stop(pool);
	/* No thread is added from here on: who submits has stopped, and a job that continues finds as many as there are. */
	for (unsigned i = 0; i < pool->threads; i++)
		(void)pthread_join(pool->thread[i], NULL);
	(void)pthread_cond_destroy(&pool->quiet);
	(void)pthread_cond_destroy(&pool->work);
	(void)pthread_mutex_destroy(&pool->mutex);
	free(pool);
}
