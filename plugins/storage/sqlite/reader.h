/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - a small pool of read-only connections. A connection is taken for one page or one record, never across calls, so no
 * read holds up the writer's checkpoints.
 */
#ifndef PLUGINS_STORAGE_SQLITE_READER_H
#define PLUGINS_STORAGE_SQLITE_READER_H

#include "query.h"

#include <pep/plugin.h>
#include <sqlite3.h>

struct reader_pool;
struct reader;

/* `path` is borrowed until reader_pool_free(). Opens the first connection, so that a start fails rather than the first read. */
pep_status reader_pool_new(const char *path, int64_t cache_kib, struct reader_pool **ret_pool, struct pep_error *err);
void reader_pool_free(struct reader_pool *pool); /* NULL is fine. [after every other call returned] */

/* Takes a connection; waits while all are taken. Walks get some of them only, so that a point read does not wait behind pages.
 * [any thread] */
pep_status reader_take(struct reader_pool *pool, bool walking, struct reader **ret_reader, struct pep_error *err);
/* Ends what is still open on it and gives it back. `failed`: SQLite reported an error; it is opened anew next time. */
void reader_give(struct reader_pool *pool, struct reader *reader, bool failed);

/* Statement `number` of query.h, reset; the reader's. */
pep_status reader_statement(struct reader *reader, unsigned number, sqlite3_stmt **ret_statement, struct pep_error *err);
/* Fill *err from what the reader's connection reports. */
pep_status reader_fail(struct reader *reader, int code, struct pep_error *err);

#endif
