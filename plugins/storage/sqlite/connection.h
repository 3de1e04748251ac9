/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.h - one connection to the file, set up so that a commit is durable, and SQLite's errors in words.
 */
#ifndef PLUGINS_STORAGE_SQLITE_CONNECTION_H
#define PLUGINS_STORAGE_SQLITE_CONNECTION_H

#include <pep/plugin.h>
#include <sqlite3.h>

/* Exactly one connection of a store writes and checkpoints: releases of SQLite before 3.51.3 may damage the file when two do so
 * at once (sqlite.org/wal.html, "The WAL-Reset Bug"). */
enum connection_role { CONNECTION_WRITER, CONNECTION_READER };

/* Opens the existing file. A connection is for one thread at a time. `cache_kib`: its page cache, in units of 1024 bytes. */
pep_status connection_open(const char *path, enum connection_role role, int64_t cache_kib, sqlite3 **ret_db, struct pep_error *err);

/* A statement that will be used again and again. */
pep_status connection_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **ret_statement, struct pep_error *err);
/* Run a text that returns no rows. `doing` is for the message, as below. */
pep_status connection_run(sqlite3 *db, const char *path, const char *doing, const char *sql, struct pep_error *err);
/* The number in the first column of the first row. */
pep_status connection_number(sqlite3 *db, const char *path, const char *sql, int64_t *ret_number, struct pep_error *err);

/* Fill *err from what `db` (NULL: none) reports for `code`: "cannot `doing` `path`: why: what to do". Returns the status. */
pep_status connection_fail(struct pep_error *err, sqlite3 *db, int code, const char *doing, const char *path);

#endif
