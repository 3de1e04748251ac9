/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include "connection.h"

#include <string.h>

/* Step i brings a file from version i to i + 1. Released steps are never edited: a new one is appended.
 *
 * Text compares bytewise (BINARY). The order of a walk is dispatch_id first, then serial where there is none, hence partial
 * indexes: the one without dispatch_id stays as small as the number of unfinished gateways. Those of other states and of leases
 * hold only what has been dispatched before, so that the four writes of a new gateway touch as few pages as can be. */
static const char *const steps[SCHEMA_VERSION] = {
	"CREATE TABLE identity (\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  serial TEXT NOT NULL, revision INTEGER NOT NULL, state INTEGER NOT NULL,\n"
	"  created_ms INTEGER NOT NULL, deployed_ms INTEGER NOT NULL, lease_until_ms INTEGER NOT NULL,\n"
	"  attempt INTEGER NOT NULL, contacted INTEGER NOT NULL, before INTEGER NOT NULL, generation INTEGER NOT NULL,\n"
	"  dispatch_id TEXT, enrollment_id TEXT,\n"
	"  hardware_version TEXT, radio_config TEXT, led_config TEXT, category TEXT, api_address TEXT,\n"
	"  gateway_services_address TEXT, verification_key TEXT, ou TEXT, device_id TEXT, ethernet_mac TEXT, sixb_mac TEXT,\n"
	"  nonce TEXT, owner TEXT, idempotency_key TEXT, request_digest TEXT, station TEXT, request_id TEXT,\n"
	"  reason TEXT, history TEXT\n"
	") STRICT;\n"
	"CREATE UNIQUE INDEX identity_serial ON identity (serial);\n"
	"CREATE UNIQUE INDEX identity_enrollment ON identity (enrollment_id) WHERE enrollment_id IS NOT NULL;\n"
	"CREATE UNIQUE INDEX identity_dispatch ON identity (dispatch_id) WHERE dispatch_id IS NOT NULL;\n"
	"CREATE INDEX identity_undispatched ON identity (serial) WHERE dispatch_id IS NULL;\n"
	"CREATE INDEX identity_other ON identity (state, dispatch_id) WHERE dispatch_id IS NOT NULL AND state <> 4;\n"
	"CREATE INDEX identity_deployed ON identity (deployed_ms, dispatch_id) WHERE dispatch_id IS NOT NULL;\n"
	"CREATE INDEX identity_leased ON identity (dispatch_id) WHERE dispatch_id IS NOT NULL AND lease_until_ms > 0;\n"
	"CREATE INDEX identity_key ON identity (idempotency_key) WHERE idempotency_key IS NOT NULL;\n",
	"CREATE TABLE note (name TEXT PRIMARY KEY, revision INTEGER NOT NULL, text TEXT NOT NULL) STRICT;\n",
};

static pep_status look(sqlite3 *db, const char *path, int64_t *ret_version, struct pep_error *err)
{
	int64_t version = 0, application_id = 0, table_count = 0;
	pep_status status = connection_number(db, path, "PRAGMA user_version", &version, err);

	if (status == PEP_OK)
		status = connection_number(db, path, "PRAGMA application_id", &application_id, err);
	if (status == PEP_OK)
		status = connection_number(db, path, "SELECT count(*) FROM sqlite_schema", &table_count, err);
	if (status != PEP_OK)
		return status;
	if (table_count == 0 && version == 0 && application_id == 0) {
		*ret_version = 0;
		return PEP_OK;
	}
	if (application_id != SCHEMA_APPLICATION_ID)
		return pep_fail(err, PEP_INVALID, 0, "cannot use %s: it is another program's SQLite file: correct storage.path",
				path);
	if (version > SCHEMA_VERSION)
		return pep_fail(
			err, PEP_INVALID, 0,
			"cannot use %s: a newer version of pep made it (schema %lld, this one knows up to %d): use that version",
			path, (long long)version, SCHEMA_VERSION);
	*ret_version = version;
	return PEP_OK;
}

/* The first line that quick_check reports; "ok" if all is well. */
static pep_status check_pages(sqlite3 *db, const char *path, struct pep_error *err)
{
	sqlite3_stmt *statement;
	pep_status status = PEP_OK;
	const char *finding;
	int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);

	if (code != SQLITE_OK)
		return connection_fail(err, db, code, "check", path);
	code = sqlite3_step(statement);
	finding = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	if (code != SQLITE_ROW) {
		status = connection_fail(err, db, code, "check", path);
	} else if (!finding || strcmp(finding, "ok") != 0) {
		size_t size = finding ? strcspn(finding, "\n") : 0;

		/* Some findings begin with a line that only names the database. */
		if (finding && strncmp(finding, "***", 3) == 0 && finding[size] == '\n') {
			finding += size + 1;
			size = strcspn(finding, "\n");
		}
		status = pep_fail(err, PEP_INTERNAL, SQLITE_CORRUPT,
				  "cannot use %s: the file is damaged (%.*s): keep a copy of it, and restore the last backup", path,
				  (int)(size > 200 ? 200 : size), finding ? finding : "");
	}
	(void)sqlite3_finalize(statement);
	return status;
}

static pep_status use_log(sqlite3 *db, const char *path, struct pep_error *err)
{
	sqlite3_stmt *statement;
	const char *mode;
	pep_status status = PEP_OK;
	int code = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);

	if (code != SQLITE_OK)
		return connection_fail(err, db, code, "open", path);
	code = sqlite3_step(statement);
	mode = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	if (code != SQLITE_ROW)
		status = connection_fail(err, db, code, "open", path);
	else if (!mode || strcmp(mode, "wal") != 0)
		status = pep_fail(
			err, PEP_INVALID, 0,
			"cannot open %s: its file system cannot hold a write-ahead log: choose a storage.path on a local disk",
			path);
	(void)sqlite3_finalize(statement);
	return status;
}

static pep_status migrate(sqlite3 *db, const char *path, int64_t version, struct pep_error *err)
{
	char sql[160];
	pep_status status = PEP_OK;

	if (version == SCHEMA_VERSION)
		return PEP_OK;
	status = connection_run(db, path, "make tables in", "BEGIN IMMEDIATE", err);
	if (status != PEP_OK)
		return status;
	for (; status == PEP_OK && version < SCHEMA_VERSION; version++)
		status = connection_run(db, path, "make tables in", steps[version], err);
	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", SCHEMA_APPLICATION_ID,
		       SCHEMA_VERSION);
	if (status == PEP_OK)
		status = connection_run(db, path, "make tables in", sql, err);
	if (status != PEP_OK)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

/* Somebody may have dropped an index by hand. */
static pep_status check_indexes(sqlite3 *db, const char *path, struct pep_error *err)
{
	int64_t index_count = 0;
	pep_status status = connection_number(db, path, SCHEMA_COUNT_UNIQUE, &index_count, err);

	if (status == PEP_OK && index_count != SCHEMA_UNIQUE_COUNT)
		return pep_fail(
			err, PEP_INTERNAL, 0,
			"cannot use %s: a unique index of the table is gone: keep a copy of it, and restore the last backup", path);
	return status;
}

pep_status schema_open(sqlite3 *db, const char *path, bool check, struct pep_error *err)
{
	int64_t version = 0;
	pep_status status = look(db, path, &version, err);

	if (status == PEP_OK && check)
		status = check_pages(db, path, err);
	if (status == PEP_OK)
		status = use_log(db, path, err);
	if (status == PEP_OK)
		status = migrate(db, path, version, err);
	if (status == PEP_OK)
		status = check_indexes(db, path, err);
	return status;
}
