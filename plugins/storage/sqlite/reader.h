/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - a small pool of read-only connections. A connection is taken for one page or one record, never across calls.
 *
 * Beginning to read costs SQLite more than reading a record: four system calls. So a connection goes on reading the state of the
 * store that it has seen until the writer says that there is a newer one, and the writer ends what idle connections still see
 * before it moves the log.
 */
#ifndef PLUGINS_STORAGE_SQLITE_READER_H
#define PLUGINS_STORAGE_SQLITE_READER_H

#include "query.h"

#include <pep/plugin.h>
#include <sqlite3.h>

struct reader_pool;
struct reader;

/* `path` is borrowed until reader_pool_free(), and need not be there yet. */
pep_status reader_pool_new(const char *path, int64_t cache_kib, struct reader_pool **ret_pool, struct pep_error *err);
/* Opens the first connection, so that a start fails rather than the first read. */
pep_status reader_pool_warm(struct reader_pool *pool, struct pep_error *err);
void reader_pool_free(struct reader_pool *pool); /* NULL is fine. [after every other call returned] */

/* From here on no read returns less than what is stored now. Cheap; after each commit, before anybody is told. [any thread] */
void reader_pool_expire(struct reader_pool *pool);
/* The same, and idle connections let go of what they see, so that the log can be moved. [any thread] */
void reader_pool_release(struct reader_pool *pool);

/* Takes a connection that sees everything committed so far; waits while all are taken. Walks get some of them only, so that a
 * point read does not wait behind pages. Until it is given back it sees one state of the store. [any thread] */
pep_status reader_take(struct reader_pool *pool, bool walking, struct reader **ret_reader, struct pep_error *err);
/* Gives it back; its statements are reset. `failed`: SQLite reported an error; it is opened anew next time. */
void reader_give(struct reader_pool *pool, struct reader *reader, bool failed);

/* Statement `number` of query.h, reset; the reader's. */
pep_status reader_statement(struct reader *reader, unsigned number, sqlite3_stmt **ret_statement, struct pep_error *err);
/* Fill *err from what the reader's connection reports. */
pep_status reader_fail(struct reader *reader, int code, struct pep_error *err);

#endif
