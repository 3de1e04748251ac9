/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include "connection.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define READERS_MAX 8
#define WALKERS_MAX 5

struct reader {
	struct reader *next; /* in the pool's stack */
	struct reader_pool *pool;
	bool walking;
	sqlite3 *db;
	sqlite3_stmt *statements[QUERY_COUNT]; /* prepared when first needed */
};

struct reader_pool {
	const char *path;
	int64_t cache_kib;
	pthread_mutex_t mutex;
	pthread_cond_t given;
	struct reader *idle; /* the one used last is on top: its cache is warm, and those below may never be opened */
	unsigned open_count, walker_count;
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
	pep_status status;

	if (!pool)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot read %s: out of memory", path);
	pool->path = path;
	pool->cache_kib = cache_kib;
	status = reader_open(pool, &pool->idle, err);
	if (status != PEP_OK) {
		free(pool);
		return status;
	}
	pool->open_count = 1;
	(void)pthread_mutex_init(&pool->mutex, NULL);
	(void)pthread_cond_init(&pool->given, NULL);
	*ret_pool = pool;
	return PEP_OK;
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
	while (!may_take(pool, walking))
		(void)pthread_cond_wait(&pool->given, &pool->mutex);
	reader = pool->idle;
	if (reader)
		pool->idle = reader->next;
	else
		pool->open_count++;
	pool->walker_count += walking;
	(void)pthread_mutex_unlock(&pool->mutex);

	if (!reader)
		status = reader_open(pool, &reader, err);
	if (status != PEP_OK) {
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

	if (failed) {
		reader_close(reader);
		forget_one(pool, walking);
		return;
	}
	(void)pthread_mutex_lock(&pool->mutex);
	reader->next = pool->idle;
	pool->idle = reader;
	pool->walker_count -= walking;
	/* A signal might wake a walk that may not go on while a point read sleeps; waiting is rare enough to wake all. */
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
