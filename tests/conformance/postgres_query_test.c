/* SPDX-License-Identifier: Apache-2.0
 *
 * Every statement that the postgres plugin sends finds its rows by an index, whatever PostgreSQL could do instead.
 */
#include "plugins/storage/postgres/query.h"
#include "postgres_world.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WRITE_COUNT 40

/* A factory's table: nearly everything is deployed. With statistics, so that the planner knows what reading it all would cost. */
static void fill(struct postgres_world *world)
{
	(void)postgres_world_sql(
		world,
		"INSERT INTO identity (serial, revision, state, created_ms, deployed_ms, lease_until_ms, attempt, contacted, "
		"before, "
		"generation, dispatch_id, enrollment_id, idempotency_key, reason) SELECT 'GW-' || i, 1, CASE WHEN i % 50 = 0 THEN "
		"1 + i % 7 ELSE 4 END, i, CASE WHEN i % 100 = 0 THEN 0 ELSE 1000 + i END, CASE WHEN i % 200 = 0 THEN 5000 ELSE 0 "
		"END, 1, 1, 0, 0, CASE WHEN i % 100 > 0 THEN lpad(i::text, 24, '0') END, 'A-' || i, 'key-' || i / 2, repeat('r', "
		"300) FROM generate_series(1, 20000) i");
	(void)postgres_world_sql(world, "INSERT INTO pep_note (name, revision, text) SELECT 'push.' || i, 1, repeat('t', 300) FROM "
					"generate_series(1, 2000) i");
	(void)postgres_world_sql(world, "ANALYZE identity, pep_note");
	(void)postgres_world_sql(world, "SET plan_cache_mode = force_generic_plan");
}

/* The plan for any values: without them, PostgreSQL plans as it does for the plugin. */
static const char *plan_of(struct postgres_world *world, unsigned number)
{
	char sql[QUERY_SQL_SIZE], name[16], explain[256];
	PGresult *result;

	query_sql(number, sql);
	assert_true(strlen(sql) < QUERY_SQL_SIZE - 1);
	(void)snprintf(name, sizeof(name), "s%u", number);
	(void)postgres_world_sql(world, "SELECT 1");
	result = PQprepare(world->admin, name, sql, 0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(world->admin));
	PQclear(result);
	(void)snprintf(explain, sizeof(explain), "EXPLAIN (COSTS OFF) EXECUTE %s", name);
	for (int i = 0; i < query_parameter_count(number); i++) {
		size_t size = strlen(explain);

		(void)snprintf(explain + size, sizeof(explain) - size, "%sNULL%s", i ? ", " : "(",
			       i + 1 == query_parameter_count(number) ? ")" : "");
	}
	return postgres_world_sql(world, explain);
}

/* What has to be in a plan. */
static const char *expected_of(unsigned number)
{
	static const char *const others[] = {[QUERY_INSERT] = "Conflict Resolution: NOTHING",
					     [QUERY_UPDATE] = "Index Scan using identity_serial on identity",
					     [QUERY_POINT] = "Index Scan using identity_serial on identity",
					     [QUERY_NOW] = "Result",
					     [QUERY_RANGE] = "using identity_deployed on identity",
					     [QUERY_NOTE_READ] = "Index Scan using pep_note_name on pep_note",
					     [QUERY_NOTE_INSERT] = "Conflict Resolution: NOTHING",
					     [QUERY_NOTE_UPDATE] = "Index Scan using pep_note_name on pep_note"};
	static const char *const walks[] = {[QUERY_ALL] = " using identity_walk on identity",
					    [QUERY_ODD] = " using identity_odd on identity",
					    [QUERY_KEY] = " using identity_key on identity",
					    [QUERY_SERIAL] = " using identity_serial on identity"};

	return number < QUERY_WALK ? others[number] : walks[(number - QUERY_WALK) / 8];
}

static void expect_index(struct postgres_world *world, unsigned number)
{
	const char *plan = plan_of(world, number);
	bool may_sort = number >= QUERY_WALK && (number - QUERY_WALK) / 8 == QUERY_SERIAL; /* one row */

	if (!strstr(plan, expected_of(number)) || strstr(plan, "Seq Scan") || strstr(plan, "Bitmap") ||
	    (strstr(plan, "Sort") && !may_sort))
		fail_msg("statement %u does not go by \"%s\":\n%s", number, expected_of(number), plan);
}

static void every_statement_has_its_index(void **state)
{
	struct postgres_world *world = *state;
	void *store = postgres_world_open(world);

	fill(world);
	for (unsigned number = 0; number < QUERY_COUNT; number++)
		expect_index(world, number);
	world->ops->close(store);
}

static void numbers_are_distinct(void **state)
{
	bool seen[QUERY_COUNT] = {false};

	(void)state;
	for (unsigned bits = 0; bits < 32; bits++) {
		const struct query_shape shape = {(enum query_lead)(bits / 8), bits & 4, bits & 2, bits & 1};
		unsigned number = query_walk(&shape);

		assert_in_range(number, QUERY_WALK, QUERY_COUNT - 1);
		assert_false(seen[number]);
		seen[number] = true;
	}
}

static long number_of(struct postgres_world *world, const char *table, const char *column)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql), "SELECT %s FROM pg_stat_user_tables WHERE relid = '%s'::regclass", column, table);
	return strtol(postgres_world_sql(world, sql), NULL, 10);
}

static void walk(struct postgres_world *world, void *store, struct pep_scan_query query)
{
	const struct pep_identity *id = NULL;
	struct pep_error err = {0};
	void *scan;

	query.struct_size = sizeof(query);
	assert_int_equal(world->ops->scan_open(store, &query, &scan, &err), PEP_OK);
	do {
		assert_int_equal(world->ops->scan_next(scan, &id, &err), PEP_OK);
	} while (id);
	world->ops->scan_close(scan);
}

static void use(struct postgres_world *world, void *store)
{
	struct pep_error err = {0};

	for (int i = 0; i < WRITE_COUNT; i++) {
		char serial[16];
		struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_CLAIMED, .serial = serial, .lease_until_ms = 5};

		(void)snprintf(serial, sizeof(serial), "GW-%d", i);
		assert_int_equal(world->ops->insert(store, &id, &err), PEP_OK);
		for (id.revision = 1; id.revision < 3; id.revision++) {
			id.state++;
			id.lease_until_ms++;
			assert_int_equal(world->ops->update(store, &id, &err), PEP_OK);
		}
	}
	for (unsigned descending = 0; descending < 2; descending++) {
		walk(world, store, (struct pep_scan_query){.descending = descending});
		walk(world, store, (struct pep_scan_query){.descending = descending, .state = PEP_FAILED});
		walk(world, store, (struct pep_scan_query){.descending = descending, .state = PEP_DEPLOYED, .brief = 1});
		walk(world, store, (struct pep_scan_query){.descending = descending, .lease_before_ms = 10, .limit = 5});
		walk(world, store, (struct pep_scan_query){.descending = descending, .deployed_from_ms = 1});
		walk(world, store, (struct pep_scan_query){.descending = descending, .idempotency_key = "k"});
		walk(world, store, (struct pep_scan_query){.serial = "GW-1", .state = PEP_ISSUED});
	}
}

static void use_note(struct postgres_world *world, void *store)
{
	char *text = malloc(PEP_NOTE_SIZE + 1);
	struct pep_error err = {0};
	int64_t found = -1;

	assert_non_null(text);
	for (int64_t revision = 0; revision < WRITE_COUNT; revision++) {
		assert_int_equal(world->ops->note_write(store, "push.mes", revision, "text", &err), PEP_OK);
		assert_int_equal(world->ops->note_read(store, "push.mes", text, &found, &err), PEP_OK);
		assert_int_equal(found, revision + 1);
	}
	free(text);
}

/* What PostgreSQL itself counted, from an empty table without statistics on. */
static void the_table_is_never_read_through(void **state)
{
	struct postgres_world *world = *state;
	long before, notes_before;
	void *store;

	/* Making an index reads the table, too. What a connection did is counted when it ends at the latest. */
	world->ops->close(postgres_world_open(world));
	while (strcmp(postgres_world_sql(world, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pep-server'"),
		      "0") != 0)
		;
	before = number_of(world, "identity", "seq_scan");
	notes_before = number_of(world, "pep_note", "seq_scan");
	store = postgres_world_open(world);
	use(world, store);
	use_note(world, store);
	world->ops->close(store);
	while (number_of(world, "identity", "n_tup_ins") < WRITE_COUNT ||
	       number_of(world, "pep_note", "n_tup_upd") < WRITE_COUNT - 1)
		;
	assert_int_equal(number_of(world, "identity", "seq_scan"), before);
	assert_true(number_of(world, "identity", "idx_scan") > WRITE_COUNT);
	assert_int_equal(number_of(world, "pep_note", "seq_scan"), notes_before);
	assert_true(number_of(world, "pep_note", "idx_scan") > WRITE_COUNT);
	/* The steps of a new gateway leave the indexes alone. */
	assert_true(number_of(world, "identity", "n_tup_hot_upd") > WRITE_COUNT);
}

int main(void)
{
	static struct postgres_world world; /* cmocka takes no argument */
	struct CMUnitTest tests[] = {
		{"every_statement_has_its_index", every_statement_has_its_index, postgres_world_set_up, postgres_world_tear_down,
		 &world},
		{"numbers_are_distinct", numbers_are_distinct, NULL, NULL, NULL},
		{"the_table_is_never_read_through", the_table_is_never_read_through, postgres_world_set_up,
		 postgres_world_tear_down, &world},
	};
	int failed;

	postgres_world_init(&world, false);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_world_fini(&world);
	return failed;
}
