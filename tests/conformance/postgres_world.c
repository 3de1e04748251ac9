/* SPDX-License-Identifier: Apache-2.0 */
#include "postgres_world.h"

#include "plugin_table.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void postgres_world_init(struct postgres_world *world, bool tls)
{
	*world = (struct postgres_world){0};
	postgres_place_init(&world->place, tls);
	world->ops = plugin_table_load(PEP_TEST_PLUGIN_DIR "/postgres.so", PEP_STORAGE)->ops;
	world->host = plugin_table_host();
}

void postgres_world_fini(struct postgres_world *world)
{
	postgres_place_fini(&world->place);
}

int postgres_world_set_up(void **state)
{
	struct postgres_world *world = *state;

	(void)snprintf(world->schema, sizeof(world->schema), "t%u", world->number++);
	postgres_place_values(&world->place, world->schema, world->values);
	return 0;
}

int postgres_world_tear_down(void **state)
{
	struct postgres_world *world = *state;

	PQfinish(world->admin);
	world->admin = NULL;
	return 0;
}

void *postgres_world_open(struct postgres_world *world)
{
	struct pep_error err = {0};
	void *store = NULL;

	if (world->ops->open(&world->host, world->values, &store, &err) != PEP_OK)
		fail_msg("%s", err.message);
	return store;
}

static void connect_admin(struct postgres_world *world)
{
	const char *const keys[] = {"host", "port", "dbname", "user", NULL};
	const char *const values[] = {world->place.folder, world->place.port, "pep", "pep", NULL};
	char sql[64];

	world->admin = PQconnectdbParams(keys, values, 0);
	assert_int_equal(PQstatus(world->admin), CONNECTION_OK);
	(void)snprintf(sql, sizeof(sql), "SET search_path = %s", world->schema);
	PQclear(PQexec(world->admin, sql));
}

const char *postgres_world_sql(struct postgres_world *world, const char *sql)
{
	static char field[4096]; /* the test's own, one thread at a time */
	PGresult *result;

	if (!world->admin)
		connect_admin(world);
	result = PQexec(world->admin, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(world->admin));
	field[0] = '\0';
	for (int row = 0; row < PQntuples(result); row++) {
		size_t size = strlen(field);

		(void)snprintf(field + size, sizeof(field) - size, "%s%s", row ? "\n" : "", PQgetvalue(result, row, 0));
	}
	PQclear(result);
	return field;
}

pep_status postgres_world_insert(struct postgres_world *world, void *store, const char *serial, struct pep_error *err)
{
	const struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_CLAIMED, .serial = serial};

	return world->ops->insert(store, &id, err);
}

int64_t postgres_world_read(struct postgres_world *world, void *store, const char *serial, pep_status *ret_status)
{
	const struct pep_scan_query query = {.struct_size = sizeof(query), .serial = serial};
	const struct pep_identity *id = NULL;
	struct pep_error err = {0};
	int64_t revision = 0;
	void *scan;

	*ret_status = world->ops->scan_open(store, &query, &scan, &err);
	if (*ret_status != PEP_OK)
		return 0;
	*ret_status = world->ops->scan_next(scan, &id, &err);
	if (*ret_status == PEP_OK && id)
		revision = id->revision;
	world->ops->scan_close(scan);
	return revision;
}
