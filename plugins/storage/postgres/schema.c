/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS INT64_C(600000) /* a migration of a large table takes its time, and others wait for it */

/* Step i brings a schema from version i to i + 1. Released steps are never edited: a new one is appended.
 *
 * Text compares bytewise (COLLATE "C"). PostgreSQL writes all indexes anew when a column of one of them changes, so none of them has
 * state or lease_until_ms: `odd` stands for both, and is the same through all the steps of a new gateway but the last. */
static const char *const steps[SCHEMA_VERSION] = {
	"CREATE TABLE schema_version (version bigint NOT NULL);"
	"INSERT INTO schema_version VALUES (0);"
	"CREATE TABLE identity ("
	"  serial text COLLATE \"C\" CONSTRAINT identity_serial PRIMARY KEY CHECK (octet_length(serial) BETWEEN 1 AND 64),"
	"  revision bigint NOT NULL CHECK (revision > 0),"
	"  state bigint NOT NULL CHECK (state BETWEEN 1 AND 7),"
	"  created_ms bigint NOT NULL, deployed_ms bigint NOT NULL, lease_until_ms bigint NOT NULL,"
	"  attempt bigint NOT NULL CHECK (attempt BETWEEN 0 AND 4294967295),"
	"  contacted bigint NOT NULL CHECK (contacted BETWEEN 0 AND 4294967295),"
	"  before bigint NOT NULL CHECK (before BETWEEN 0 AND 4294967295),"
	"  generation bigint NOT NULL CHECK (generation BETWEEN 0 AND 4294967295),"
	"  dispatch_id text COLLATE \"C\", enrollment_id text COLLATE \"C\","
	"  hardware_version text, radio_config text, led_config text, category text, api_address text,"
	"  gateway_services_address text, verification_key text, ou text, device_id text, ethernet_mac text, sixb_mac text,"
	"  nonce text, owner text, idempotency_key text COLLATE \"C\", request_digest text, station text, request_id text,"
	"  reason text, history text,"
	"  walk text COLLATE \"C\" NOT NULL GENERATED ALWAYS AS"
	"    (CASE WHEN dispatch_id IS NULL THEN '1' || serial ELSE '0' || dispatch_id END) STORED,"
	"  odd boolean NOT NULL GENERATED ALWAYS AS (dispatch_id IS NULL OR state <> 4 OR lease_until_ms > 0) STORED"
	") WITH (fillfactor = 80);"
	"CREATE UNIQUE INDEX identity_walk ON identity (walk);" /* which makes the dispatch_id unique */
	"CREATE UNIQUE INDEX identity_enrollment ON identity (enrollment_id) WHERE enrollment_id IS NOT NULL;"
	"CREATE INDEX identity_odd ON identity (walk) WHERE odd;"
	"CREATE INDEX identity_deployed ON identity (deployed_ms, walk) WHERE deployed_ms <> 0;"
	"CREATE INDEX identity_key ON identity (idempotency_key, walk) WHERE idempotency_key IS NOT NULL;",
	/* Notes are few, and each is written often: room in each page keeps their rows where they are. */
	"CREATE TABLE pep_note ("
	"  name text COLLATE \"C\" CONSTRAINT pep_note_name PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 64),"
	"  revision bigint NOT NULL CHECK (revision > 0),"
	"  text text NOT NULL CHECK (octet_length(text) <= 65536)"
	") WITH (fillfactor = 50);",
};

/* Which one is gone, is half built, or is not unique any more? */
static const char lost_index_sql[] =
	"SELECT wanted.name FROM (VALUES ('identity', 'identity_serial', true), ('identity', 'identity_walk', true), "
	"('identity', 'identity_enrollment', true), ('identity', 'identity_odd', false), ('identity', 'identity_deployed', false), "
	"('identity', 'identity_key', false), ('pep_note', 'pep_note_name', true)) AS wanted (of, name, is_unique) "
	"WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = wanted.name "
	"AND i.indrelid = to_regclass(wanted.of) AND i.indisvalid AND i.indisready AND i.indisunique = wanted.is_unique) "
	"ORDER BY wanted.of, wanted.name LIMIT 1";

/* One statement with at most one parameter. */
static pep_status ask(PGconn *conn, const char *sql, const char *value, PGresult **ret_result, struct pep_error *err)
{
	bool again;

	if (!PQsendQueryParams(conn, sql, value ? 1 : 0, NULL, &value, NULL, NULL, 0))
		return pep_fail(err, PEP_UNAVAILABLE, 0, "cannot send a statement to PostgreSQL: the connection was lost");
	return wire_finish(conn, wire_now_ms() + TIMEOUT_MS, ret_result, &again, err);
}

/* Several statements, or one without an answer. */
static pep_status run(PGconn *conn, const char *sql, struct pep_error *err)
{
	PGresult *result = NULL;
	pep_status status;
	bool again;

	if (!PQsendQuery(conn, sql))
		return pep_fail(err, PEP_UNAVAILABLE, 0, "cannot send a statement to PostgreSQL: the connection was lost");
	status = wire_finish(conn, wire_now_ms() + TIMEOUT_MS, &result, &again, err);
	PQclear(result);
	return status;
}

/* The first field of the first row as a number; 0 if there is none. */
static pep_status number(PGconn *conn, const char *sql, const char *value, long long *ret_number, struct pep_error *err)
{
	PGresult *result = NULL;
	pep_status status = ask(conn, sql, value, &result, err);

	if (status == PEP_OK)
		*ret_number = PQntuples(result) > 0 ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : 0;
	PQclear(result);
	return status;
}

static pep_status make_schema(PGconn *conn, const char *schema, struct pep_error *err)
{
	char *name, sql[160];
	long long count = 0;
	pep_status status = number(conn, "SELECT count(*) FROM pg_namespace WHERE nspname = $1", schema, &count, err);

	if (status != PEP_OK || count > 0)
		return status;
	name = PQescapeIdentifier(conn, schema, strlen(schema));
	if (!name)
		return pep_fail(err, PEP_INVALID, 0, "cannot make a schema in PostgreSQL: storage.schema should be UTF-8 text");
	(void)snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", name);
	PQfreemem(name);
	return run(conn, sql, err);
}

static pep_status find_version(PGconn *conn, const char *schema, long long *ret_version, struct pep_error *err)
{
	long long there = 0, version = 0;
	pep_status status =
		number(conn, "SELECT count(to_regclass(n)) FROM unnest(ARRAY['schema_version', 'identity']) n", NULL, &there, err);

	if (status == PEP_OK && there == 2)
		status = number(conn, "SELECT max(version) FROM schema_version", NULL, &version, err);
	if (status != PEP_OK)
		return status;
	if (there == 1 || (there == 2 && version < 1))
		return pep_fail(
			err, PEP_INVALID, 0,
			"cannot use schema \"%s\" of database \"%s\": it has another program's tables: correct storage.schema",
			schema, PQdb(conn));
	if (version > SCHEMA_VERSION)
		return pep_fail(
			err, PEP_INVALID, 0,
			"cannot use schema \"%s\" of database \"%s\": a newer version of pep made it (schema %lld, this one "
			"knows up to %d): use that version",
			schema, PQdb(conn), version, SCHEMA_VERSION);
	*ret_version = version;
	return PEP_OK;
}

static pep_status migrate(PGconn *conn, const char *schema, struct pep_error *err)
{
	long long version = 0;
	char sql[80];
	pep_status status = make_schema(conn, schema, err);

	if (status == PEP_OK)
		status = find_version(conn, schema, &version, err);
	if (status != PEP_OK || version == SCHEMA_VERSION)
		return status;
	for (; status == PEP_OK && version < SCHEMA_VERSION; version++)
		status = run(conn, steps[version], err);
	(void)snprintf(sql, sizeof(sql), "UPDATE schema_version SET version = %d", SCHEMA_VERSION);
	return status == PEP_OK ? run(conn, sql, err) : status;
}

/* Somebody may have dropped an index by hand; the promise of one winner hangs on them. */
static pep_status check_indexes(PGconn *conn, const char *schema, struct pep_error *err)
{
	PGresult *result = NULL;
	pep_status status = ask(conn, lost_index_sql, NULL, &result, err);

	if (status == PEP_OK && PQntuples(result) > 0)
		status = pep_fail(
			err, PEP_INVALID, 0,
			"cannot use schema \"%s\" of database \"%s\": its index %s is gone or cannot be used: make it again as "
			"docs/plugins/postgres.md says",
			schema, PQdb(conn), PQgetvalue(result, 0, 0));
	PQclear(result);
	return status;
}

pep_status schema_open(PGconn *conn, const char *schema, struct pep_error *err)
{
	PGresult *locked = NULL;
	pep_status status = run(conn, "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0", err);

	/* Held until the transaction ends. The first number is "pep" for other users of advisory locks. */
	if (status == PEP_OK)
		status = ask(conn, "SELECT pg_advisory_xact_lock(7365040, hashtext($1))", schema, &locked, err);
	PQclear(locked);
	if (status == PEP_OK)
		status = migrate(conn, schema, err);
	if (status == PEP_OK)
		status = check_indexes(conn, schema, err);
	if (status == PEP_OK)
		status = run(conn, "COMMIT", err);
	if (status == PEP_CONFLICT || status == PEP_UNKNOWN)
		status = PEP_UNAVAILABLE;
	if (status != PEP_OK && err)
		err->status = status;
	return status;
}
