/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include "connection.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define READERS_MAX 8
#define WALKERS_MAX 5

struct reader {
	struct reader *next; /* in the pool's stack */
	struct reader_pool *pool;
	bool walking;
	bool reading;   /* in a read transaction... */
	uint64_t epoch; /* ...that sees this one */
	sqlite3 *db;
	sqlite3_stmt *statements[QUERY_COUNT]; /* prepared when first needed */
};

struct reader_pool {
	const char *path;
	int64_t cache_kib;
	pthread_mutex_t mutex;
	pthread_cond_t given;
	struct reader *idle; /* the one used last is on top: its cache is warm, and those below may never be opened */
	unsigned open_count, walker_count, waiting;
	atomic_uint_fast64_t epoch; /* one more for each state of the store */
};

static void reader_close(struct reader *reader)
{
	for (size_t i = 0; i < QUERY_COUNT; i++)
		(void)sqlite3_finalize(reader->statements[i]);
	(void)sqlite3_close(reader->db);
	free(reader);
}

static pep_status reader_open(struct reader_pool *pool, struct reader **ret_reader, struct pep_error *err)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	sqlite3_stmt *statement;
	pep_status status;

	if (!reader)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot read %s: out of memory", pool->path);
	reader->pool = pool;
	status = connection_open(pool->path, CONNECTION_READER, pool->cache_kib, &reader->db, err);
	if (status == PEP_OK)
		status = reader_statement(reader, QUERY_POINT, &statement, err);
	if (status != PEP_OK) {
		reader_close(reader);
		return status;
	}
	*ret_reader = reader;
	return PEP_OK;
}

pep_status reader_pool_new(const char *path, int64_t cache_kib, struct reader_pool **ret_pool, struct pep_error *err)
{
	struct reader_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot read %s: out of memory", path);
	pool->path = path;
	pool->cache_kib = cache_kib;
	atomic_init(&pool->epoch, 1);
	(void)pthread_mutex_init(&pool->mutex, NULL);
	(void)pthread_cond_init(&pool->given, NULL);
	*ret_pool = pool;
	return PEP_OK;
}

pep_status reader_pool_warm(struct reader_pool *pool, struct pep_error *err)
{
	struct reader *reader;
	pep_status status = reader_take(pool, false, &reader, err);

	if (status == PEP_OK)
		reader_give(pool, reader, false);
	return status;
}

void reader_pool_free(struct reader_pool *pool)
{
	if (!pool)
		return;
	while (pool->idle) {
		struct reader *reader = pool->idle;

		pool->idle = reader->next;
		reader_close(reader);
	}
	(void)pthread_cond_destroy(&pool->given);
	(void)pthread_mutex_destroy(&pool->mutex);
	free(pool);
}

static pep_status run(struct reader *reader, unsigned number, struct pep_error *err)
{
	sqlite3_stmt *statement;
	pep_status status = reader_statement(reader, number, &statement, err);
	int code;

	if (status != PEP_OK)
		return status;
	code = sqlite3_step(statement);
	(void)sqlite3_reset(statement);
	return code == SQLITE_DONE ? PEP_OK : reader_fail(reader, code, err);
}

static pep_status end_reading(struct reader *reader, struct pep_error *err)
{
	if (!reader->reading)
		return PEP_OK;
	reader->reading = false;
	return run(reader, QUERY_END, err);
}

/* The epoch is read first: a commit in between makes it look older than it is, which only costs a new start. */
static pep_status begin_reading(struct reader *reader, struct pep_error *err)
{
	uint64_t epoch = atomic_load(&reader->pool->epoch);
	pep_status status;

	if (reader->reading && reader->epoch == epoch)
		return PEP_OK;
	status = end_reading(reader, err);
	if (status == PEP_OK)
		status = run(reader, QUERY_BEGIN, err);
	/* BEGIN does not look at the file yet, but the first read that follows does, and the writer may commit before that: what is
	 * seen then is newer than the epoch, never older. */
	reader->reading = status == PEP_OK;
	reader->epoch = epoch;
	return status;
}

void reader_pool_expire(struct reader_pool *pool)
{
	(void)atomic_fetch_add(&pool->epoch, 1);
}

void reader_pool_release(struct reader_pool *pool)
{
	reader_pool_expire(pool);
	(void)pthread_mutex_lock(&pool->mutex);
	/* A COMMIT of nothing written cannot fail in a way that matters: the next read would see it. */
	for (struct reader *reader = pool->idle; reader; reader = reader->next)
		(void)end_reading(reader, NULL);
	(void)pthread_mutex_unlock(&pool->mutex);
}

/* Under the mutex. Is there one for this caller, now? */
static bool may_take(const struct reader_pool *pool, bool walking)
{
	return (pool->idle || pool->open_count < READERS_MAX) && (!walking || pool->walker_count < WALKERS_MAX);
}

/* One less is out; whoever waits may have it. */
static void forget_one(struct reader_pool *pool, bool walking)
{
	(void)pthread_mutex_lock(&pool->mutex);
	pool->open_count--;
	pool->walker_count -= walking;
	(void)pthread_cond_broadcast(&pool->given);
	(void)pthread_mutex_unlock(&pool->mutex);
}

pep_status reader_take(struct reader_pool *pool, bool walking, struct reader **ret_reader, struct pep_error *err)
{
	struct reader *reader;
	pep_status status = PEP_OK;

	(void)pthread_mutex_lock(&pool->mutex);
	pool->waiting++;
	while (!may_take(pool, walking))
		(void)pthread_cond_wait(&pool->given, &pool->mutex);
	pool->waiting--;
	reader = pool->idle;
	if (reader)
		pool->idle = reader->next;
	else
		pool->open_count++;
	pool->walker_count += walking;
	(void)pthread_mutex_unlock(&pool->mutex);

	if (!reader)
		status = reader_open(pool, &reader, err);
	if (status == PEP_OK)
		status = begin_reading(reader, err);
	if (status != PEP_OK) {
		if (reader)
			reader_close(reader);
		forget_one(pool, walking);
		return status;
	}
	reader->walking = walking;
	*ret_reader = reader;
	return PEP_OK;
}

void reader_give(struct reader_pool *pool, struct reader *reader, bool failed)
{
	bool walking = reader->walking;

	/* The writer may wait for this one to let go. */
	if (!failed && reader->epoch != atomic_load(&pool->epoch))
		failed = end_reading(reader, NULL) != PEP_OK;
	if (failed) {
		reader_close(reader);
		forget_one(pool, walking);
		return;
	}
	(void)pthread_mutex_lock(&pool->mutex);
	reader->next = pool->idle;
	pool->idle = reader;
	pool->walker_count -= walking;
	/* A signal might wake a walk that may not go on while a point read sleeps, so all are woken; they are few. */
	if (pool->waiting)
		(void)pthread_cond_broadcast(&pool->given);
	(void)pthread_mutex_unlock(&pool->mutex);
}

pep_status reader_statement(struct reader *reader, unsigned number, sqlite3_stmt **ret_statement, struct pep_error *err)
{
	char sql[1536];
	pep_status status;

	if (!reader->statements[number]) {
		query_sql(number, sql, sizeof(sql));
		status = connection_prepare(reader->db, reader->pool->path, sql, &reader->statements[number], err);
		if (status != PEP_OK)
			return status;
	}
	*ret_statement = reader->statements[number];
	return PEP_OK;
}

pep_status reader_fail(struct reader *reader, int code, struct pep_error *err)
{
	return connection_fail(err, reader->db, code, "read", reader->pool->path);
}
