/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"

#include "connection.h"
#include "schema.h"

#include <stdio.h>
#include <string.h>

#define CACHE_KIB 2048

/* The first column of the first row; only its first line. false: SQLite's own words are in ret_text. */
static bool read_text(sqlite3 *db, const char *sql, char ret_text[INSPECT_FAULT_SIZE])
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	const char *text = NULL;

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		text = (const char *)sqlite3_column_text(statement, 0);
	/* Some findings begin with a line that only names the database. */
	if (text && strncmp(text, "***", 3) == 0 && strchr(text, '\n'))
		text = strchr(text, '\n') + 1;
	if (!text)
		text = sqlite3_errmsg(db);
	(void)snprintf(ret_text, INSPECT_FAULT_SIZE, "%.*s", (int)strcspn(text, "\n"), text);
	(void)sqlite3_finalize(statement);
	return code == SQLITE_ROW;
}

static bool is_number(sqlite3 *db, const char *sql, int64_t least, int64_t most, int64_t *ret_number)
{
	struct pep_error ignored = {0};

	return connection_number(db, "", sql, ret_number, &ignored) == PEP_OK && *ret_number >= least && *ret_number <= most;
}

bool inspect_store(sqlite3 *db, int64_t *ret_record_count, char ret_fault[INSPECT_FAULT_SIZE])
{
	int64_t number;

	if (!read_text(db, "PRAGMA integrity_check(1)", ret_fault))
		return false;
	if (strcmp(ret_fault, "ok") != 0)
		return false;
	if (!is_number(db, "PRAGMA application_id", SCHEMA_APPLICATION_ID, SCHEMA_APPLICATION_ID, &number)) {
		(void)snprintf(ret_fault, INSPECT_FAULT_SIZE, "it is no pep store");
		return false;
	}
	if (!is_number(db, "PRAGMA user_version", 1, SCHEMA_VERSION, &number)) {
		(void)snprintf(ret_fault, INSPECT_FAULT_SIZE, "a newer version of pep made it: use that version");
		return false;
	}
	if (!is_number(db, SCHEMA_COUNT_UNIQUE, SCHEMA_UNIQUE_COUNT, SCHEMA_UNIQUE_COUNT, &number)) {
		(void)snprintf(ret_fault, INSPECT_FAULT_SIZE, "a unique index of its table is gone");
		return false;
	}
	if (!is_number(db, "SELECT count(*) FROM identity", 0, INT64_MAX, &number)) {
		(void)snprintf(ret_fault, INSPECT_FAULT_SIZE, "its records cannot be counted");
		return false;
	}
	*ret_record_count = number;
	return true;
}

bool inspect_file(const char *path, int64_t *ret_record_count, char ret_fault[INSPECT_FAULT_SIZE])
{
	struct pep_error err = {0};
	sqlite3 *db;
	bool is_sound;

	if (connection_open(path, CONNECTION_WRITER, CACHE_KIB, &db, &err) != PEP_OK) {
		(void)snprintf(ret_fault, INSPECT_FAULT_SIZE, "%.*s", INSPECT_FAULT_SIZE - 1, err.message);
		return false;
	}
	is_sound = read_text(db, "PRAGMA journal_mode = DELETE", ret_fault) && inspect_store(db, ret_record_count, ret_fault);
	(void)sqlite3_close(db);
	return is_sound;
}
