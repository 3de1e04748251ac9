/* SPDX-License-Identifier: Apache-2.0
 *
 * What the postgres plugin does not open, and what it says then.
 */
#include "core/base/text.h"
#include "postgres_world.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One line that has both texts, and no password. */
static void expect_refusal(struct postgres_world *world, pep_status expected, const char *cause, const char *advice)
{
	struct pep_error err = {0};
	void *store = NULL;
	pep_status status = world->ops->open(&world->host, world->values, &store, &err);

	if (status == PEP_OK) {
		world->ops->close(store);
		fail_msg("it was opened, without: %s", cause);
	}
	if (!strstr(err.message, cause) || !strstr(err.message, advice))
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err.message, cause, advice);
	assert_int_equal(status, expected);
	assert_int_equal(err.status, expected);
	assert_true(text_is_printable(err.message, strlen(err.message)));
	assert_null(strstr(err.message, POSTGRES_PASSWORD));
	assert_null(store);
}

static void expect_opens(struct postgres_world *world)
{
	world->ops->close(postgres_world_open(world));
}

/* Over TCP, as somebody who needs a password. */
static void over_tcp(struct postgres_world *world, const char *host, const char *sslmode)
{
	world->values[POSTGRES_HOST].text = host;
	world->values[POSTGRES_USER].text = "keeper";
	world->values[POSTGRES_PASSWORD_OPTION].text = POSTGRES_PASSWORD;
	world->values[POSTGRES_SSLMODE].text = sslmode;
}

static void a_wrong_place(void **state)
{
	struct postgres_world *world = *state;

	world->values[POSTGRES_HOST].text = "/nowhere/at/all";
	expect_refusal(world, PEP_UNAVAILABLE, "/nowhere/at/all", "storage.host");
	world->values[POSTGRES_HOST].text = "127.0.0.1";
	world->values[POSTGRES_PORT].text = "1";
	expect_refusal(world, PEP_UNAVAILABLE, "Connection refused", "start the server");
	world->values[POSTGRES_HOST].text = "a.invalid";
	expect_refusal(world, PEP_UNAVAILABLE, "a.invalid", "correct storage.host");
	world->values[POSTGRES_PORT].text = "http";
	expect_refusal(world, PEP_UNAVAILABLE, "invalid integer value \"http\"", "storage.port");
}

static void a_wrong_list(void **state)
{
	static const char *const hosts[] = {"", ",", "a,", "a,,b"};
	struct postgres_world *world = *state;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		world->values[POSTGRES_HOST].text = hosts[i];
		expect_refusal(world, PEP_INVALID, "storage.host", "with commas");
	}
	world->values[POSTGRES_HOST].text = "a,b,c";
	world->values[POSTGRES_PORT].text = "1,2";
	expect_refusal(world, PEP_INVALID, "storage.port", "as many");
	world->values[POSTGRES_SSLMODE].text = "prefer";
	expect_refusal(world, PEP_INVALID, "storage.sslmode", "verify-full");
}

static void the_host_that_is_there(void **state)
{
	struct postgres_world *world = *state;
	char hosts[POSTGRES_PLACE_SIZE + 32], ports[32];

	(void)snprintf(hosts, sizeof(hosts), "127.0.0.1,%s", world->place.folder);
	(void)snprintf(ports, sizeof(ports), "1,%s", world->place.port);
	world->values[POSTGRES_HOST].text = hosts;
	world->values[POSTGRES_PORT].text = ports;
	expect_opens(world);
}

static void a_wrong_name(void **state)
{
	struct postgres_world *world = *state;

	world->values[POSTGRES_DATABASE].text = "nothing";
	expect_refusal(world, PEP_UNAVAILABLE, "database \"nothing\" does not exist", "storage.database");
	world->values[POSTGRES_DATABASE].text = "pep";
	world->values[POSTGRES_USER].text = "stranger";
	expect_refusal(world, PEP_UNAVAILABLE, "role \"stranger\" does not exist", "storage.user");
}

static void a_wrong_password(void **state)
{
	struct postgres_world *world = *state;

	over_tcp(world, "127.0.0.1", "disable");
	expect_opens(world);
	world->values[POSTGRES_PASSWORD_OPTION].text = "not " POSTGRES_PASSWORD;
	expect_refusal(world, PEP_UNAVAILABLE, "password authentication failed for user", "storage.password");
	world->values[POSTGRES_PASSWORD_OPTION].text = "";
	expect_refusal(world, PEP_UNAVAILABLE, "no password supplied", "storage.password");
	world->values[POSTGRES_USER].text = "pep";
	expect_refusal(world, PEP_UNAVAILABLE, "no pg_hba.conf entry", "pg_hba.conf");
}

static void a_wrong_certificate(void **state)
{
	struct postgres_world *world = *state;
	char authority[POSTGRES_PLACE_SIZE + 16], other[POSTGRES_PLACE_SIZE + 16];

	(void)snprintf(authority, sizeof(authority), "%s/ca.pem", world->place.folder);
	(void)snprintf(other, sizeof(other), "%s/other.pem", world->place.folder);
	over_tcp(world, "localhost", "verify-full");
	world->values[POSTGRES_SSLROOTCERT].text = "/nowhere/ca.pem";
	expect_refusal(world, PEP_UNAVAILABLE, "\"/nowhere/ca.pem\" does not exist", "storage.sslrootcert");
	world->values[POSTGRES_SSLROOTCERT].text = other;
	expect_refusal(world, PEP_UNAVAILABLE, "certificate verify failed", "storage.sslrootcert");
	world->values[POSTGRES_SSLROOTCERT].text = authority;
	expect_opens(world);
	over_tcp(world, "127.0.0.1", "verify-full");
	expect_refusal(world, PEP_UNAVAILABLE, "does not match host name \"127.0.0.1\"", "certificate");
	over_tcp(world, "127.0.0.1", "verify-ca");
	expect_opens(world);
}

static void a_server_that_forgets(void **state)
{
	struct postgres_world *world = *state;

	(void)postgres_world_sql(world, "ALTER SYSTEM SET fsync = off");
	(void)postgres_world_sql(world, "SELECT pg_reload_conf()");
	while (strcmp(postgres_world_sql(world, "SHOW fsync"), "off") != 0)
		;
	expect_refusal(world, PEP_INVALID, "fsync is off", "set fsync = on");
	(void)postgres_world_sql(world, "ALTER SYSTEM RESET fsync");
	(void)postgres_world_sql(world, "SELECT pg_reload_conf()");
	while (strcmp(postgres_world_sql(world, "SHOW fsync"), "on") != 0)
		;
	expect_opens(world);
}

static void another_encoding(void **state)
{
	struct postgres_world *world = *state;

	(void)postgres_world_sql(world, "CREATE DATABASE latin ENCODING LATIN1 LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0");
	world->values[POSTGRES_DATABASE].text = "latin";
	expect_refusal(world, PEP_INVALID, "its encoding is not UTF8", "ENCODING 'UTF8'");
}

static void a_newer_schema(void **state)
{
	struct postgres_world *world = *state;

	expect_opens(world);
	(void)postgres_world_sql(world, "UPDATE schema_version SET version = 99");
	expect_refusal(world, PEP_INVALID, "a newer version of pep made it (schema 99", "use that version");
	assert_string_equal(postgres_world_sql(world, "SELECT version FROM schema_version"), "99");
}

/* Schema 1 had no notes. */
static void an_older_schema(void **state)
{
	struct postgres_world *world = *state;
	void *store = postgres_world_open(world);
	struct pep_error err = {0};
	pep_status status;

	assert_int_equal(postgres_world_insert(world, store, "one", &err), PEP_OK);
	world->ops->close(store);
	(void)postgres_world_sql(world, "DROP TABLE pep_note; UPDATE schema_version SET version = 1");
	store = postgres_world_open(world);
	assert_string_equal(postgres_world_sql(world, "SELECT version FROM schema_version"), "2");
	assert_int_equal(postgres_world_read(world, store, "one", &status), 1);
	assert_int_equal(world->ops->note_write(store, "push.mes", 0, "text", &err), PEP_OK);
	world->ops->close(store);
	(void)postgres_world_sql(world, "ALTER TABLE pep_note DROP CONSTRAINT pep_note_name");
	expect_refusal(world, PEP_INVALID, "its index pep_note_name is gone", "docs/plugins/postgres.md");
}

static void tables_of_somebody_else(void **state)
{
	struct postgres_world *world = *state;
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", world->schema);
	(void)postgres_world_sql(world, sql);
	(void)postgres_world_sql(world, "CREATE TABLE identity (id int)");
	expect_refusal(world, PEP_INVALID, "another program's tables", "storage.schema");
}

static void an_index_that_is_gone(void **state)
{
	static const char *const names[] = {"identity_walk", "identity_enrollment", "identity_odd", "identity_deployed",
					    "identity_key"};
	struct postgres_world *world = *state;
	char sql[512], definition[400];

	expect_opens(world);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(sql, sizeof(sql), "SELECT pg_get_indexdef('%s'::regclass)", names[i]);
		(void)snprintf(definition, sizeof(definition), "%s", postgres_world_sql(world, sql));
		(void)snprintf(sql, sizeof(sql), "DROP INDEX %s", names[i]);
		(void)postgres_world_sql(world, sql);
		expect_refusal(world, PEP_INVALID, names[i], "docs/plugins/postgres.md");
		(void)postgres_world_sql(world, definition);
		expect_opens(world);
	}
	(void)postgres_world_sql(world, "ALTER TABLE identity DROP CONSTRAINT identity_serial");
	expect_refusal(world, PEP_INVALID, "identity_serial", "make it again");
	(void)postgres_world_sql(world, "CREATE INDEX identity_serial ON identity (serial)"); /* not unique */
	expect_refusal(world, PEP_INVALID, "identity_serial", "make it again");
}

/* A user that may use the table, but make nothing, is enough once it is there. */
static void rights(void **state)
{
	struct postgres_world *world = *state;
	struct pep_error err = {0};
	char sql[200];
	void *store;

	(void)postgres_world_sql(world, "CREATE ROLE clerk LOGIN");
	world->values[POSTGRES_USER].text = "clerk";
	expect_refusal(world, PEP_UNAVAILABLE, "permission denied for database pep", "SQLSTATE 42501");
	world->values[POSTGRES_USER].text = "pep";
	expect_opens(world);
	(void)snprintf(sql, sizeof(sql), "GRANT USAGE ON SCHEMA %s TO clerk; GRANT SELECT ON schema_version TO clerk",
		       world->schema);
	(void)postgres_world_sql(world, sql);
	(void)postgres_world_sql(world, "GRANT SELECT, INSERT, UPDATE ON identity, pep_note TO clerk");
	world->values[POSTGRES_USER].text = "clerk";
	store = postgres_world_open(world);
	assert_int_equal(postgres_world_insert(world, store, "one", &err), PEP_OK);
	assert_int_equal(world->ops->note_write(store, "push.mes", 0, "one", &err), PEP_OK);
	assert_int_equal(world->ops->note_write(store, "push.mes", 1, "two", &err), PEP_OK);
	world->ops->close(store);
}

#define TEST(function)                                                                       \
	{                                                                                    \
#function, function, postgres_world_set_up, postgres_world_tear_down, &world \
	}

int main(void)
{
	static struct postgres_world world; /* cmocka takes no argument */
	struct CMUnitTest tests[] = {
		TEST(a_wrong_place),          TEST(a_wrong_list),
		TEST(the_host_that_is_there), TEST(a_wrong_name),
		TEST(a_wrong_password),       TEST(a_wrong_certificate),
		TEST(a_server_that_forgets),  TEST(another_encoding),
		TEST(a_newer_schema),         TEST(tables_of_somebody_else),
		TEST(an_index_that_is_gone),  TEST(rights),
		TEST(an_older_schema),
	};
	int failed;

	postgres_world_init(&world, true);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_world_fini(&world);
	return failed;
}
