/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <string.h>

#define BUSY_TIMEOUT_MS 5000
/* A log that grew beyond this behind slow readers is cut when it starts again. */
#define LOG_SIZE_LIMIT (64 * 1024 * 1024)

static const struct cause {
	int code; /* primary or extended */
	pep_status status;
	const char *advice;
} causes[] = {
	{SQLITE_FULL, PEP_UNAVAILABLE, "free some space on the disk"},
	{SQLITE_READONLY, PEP_UNAVAILABLE, "make the file, its folder and the file system writable for the server"},
	{SQLITE_CORRUPT, PEP_INTERNAL, "the file is damaged: stop the server, keep a copy of it, and restore the last backup"},
	{SQLITE_NOTADB, PEP_INVALID, "this file is no pep store: correct storage.path"},
	{SQLITE_BUSY, PEP_UNAVAILABLE, "another program holds the file: end it"},
	{SQLITE_LOCKED, PEP_UNAVAILABLE, "another program holds the file: end it"},
	{SQLITE_CANTOPEN, PEP_UNAVAILABLE, "look at the permissions of the file and its folder, and at the limit of open files"},
	{SQLITE_NOMEM, PEP_NO_MEMORY, "give the server more memory"},
	{SQLITE_TOOBIG, PEP_LIMIT, "the record is too large"},
	{SQLITE_IOERR, PEP_UNAVAILABLE, "look at the disk and into the system's log"},
	{SQLITE_PERM, PEP_INVALID, "let the server read and write the file"},
	{SQLITE_AUTH, PEP_INVALID, "let the server read and write the file"},
};

pep_status connection_fail(struct pep_error *err, sqlite3 *db, int code, const char *doing, const char *path)
{
	struct cause cause = {0, PEP_INTERNAL, "please report this"};
	int system_errno = db ? sqlite3_system_errno(db) : 0;
	bool with_errno = system_errno != 0 && ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN);

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].code == (code & 0xff))
			cause = causes[i];
	/* A quota and a limit of file size are a full disk to us, but not to SQLite. */
	if ((code & 0xff) == SQLITE_IOERR && (system_errno == EDQUOT || system_errno == EFBIG || system_errno == ENOSPC))
		cause.advice = "free some space, or raise the quota";
	return pep_fail(err, cause.status, code, "cannot %s %s: %s%s%s: %s", doing, path,
			db && sqlite3_extended_errcode(db) == code ? sqlite3_errmsg(db) : sqlite3_errstr(code),
			with_errno ? ": " : "", with_errno ? strerror(system_errno) : "", cause.advice);
}

pep_status connection_run(sqlite3 *db, const char *path, const char *doing, const char *sql, struct pep_error *err)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? PEP_OK : connection_fail(err, db, code, doing, path);
}

pep_status connection_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **ret_statement, struct pep_error *err)
{
	int code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);

	return code == SQLITE_OK ? PEP_OK : connection_fail(err, db, code, "use", path);
}

pep_status connection_number(sqlite3 *db, const char *path, const char *sql, int64_t *ret_number, struct pep_error *err)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return connection_fail(err, db, code, "read", path);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*ret_number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return code == SQLITE_ROW ? PEP_OK : connection_fail(err, db, code, "read", path);
}

static pep_status set_up(sqlite3 *db, const char *path, enum connection_role role, int64_t cache_kib, struct pep_error *err)
{
	char sql[320];

	(void)sqlite3_extended_result_codes(db, 1);
	(void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	/* A reader that is closed last must not checkpoint. */
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, role == CONNECTION_READER, NULL);
	/* secure_delete, which Debian switches on, only costs time: no row is ever deleted, and the file is its owner's alone. */
	(void)snprintf(sql, sizeof(sql),
		       "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
		       "PRAGMA secure_delete = OFF; PRAGMA cache_size = -%lld; PRAGMA synchronous = FULL;"
		       "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = %d; PRAGMA query_only = %s;",
		       (long long)cache_kib, LOG_SIZE_LIMIT, role == CONNECTION_READER ? "ON" : "OFF");
	return connection_run(db, path, "open", sql, err);
}

pep_status connection_open(const char *path, enum connection_role role, int64_t cache_kib, sqlite3 **ret_db, struct pep_error *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		    (role == CONNECTION_WRITER ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	sqlite3 *db = NULL;
	int code = sqlite3_open_v2(path, &db, flags, "unix");
	pep_status status;

	if (code != SQLITE_OK)
		status = connection_fail(err, db, code, "open", path);
	else
		status = set_up(db, path, role, cache_kib, err);
	if (status != PEP_OK) {
		(void)sqlite3_close(db);
		return status;
	}
	*ret_db = db;
	return PEP_OK;
}
