/* SPDX-License-Identifier: Apache-2.0
 *
 * Does an index answer every statement, in order, from where the page begins? And is each connection set up to be durable?
 */
#include "plugin_table.h"
#include "plugins/storage/sqlite/connection.h"
#include "plugins/storage/sqlite/query.h"
#include "plugins/storage/sqlite/record.h"
#include "sqlite_place.h"

#include <pep/storage.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROW_COUNT 3000
#define SQL_SIZE 1536

struct world {
	char folder[SQLITE_PLACE_SIZE], path[SQLITE_PLACE_SIZE + 32];
	sqlite3 *db;
};

/* In the order of struct pep_identity. */
static const char *const text_names[] = {"serial",
					 "dispatch_id",
					 "enrollment_id",
					 "hardware_version",
					 "radio_config",
					 "led_config",
					 "category",
					 "api_address",
					 "gateway_services_address",
					 "verification_key",
					 "ou",
					 "device_id",
					 "ethernet_mac",
					 "sixb_mac",
					 "nonce",
					 "owner",
					 "idempotency_key",
					 "request_digest",
					 "station",
					 "request_id",
					 "reason",
					 "history"};
#define TEXT_COUNT (sizeof(text_names) / sizeof(text_names[0]))

/* A record that says in each text which one it is. */
static void insert_names(const struct pep_storage_ops *ops, void *store)
{
	struct pep_identity id = {.struct_size = sizeof(id),
				  .state = 8,
				  .created_ms = 101,
				  .deployed_ms = 102,
				  .lease_until_ms = 103,
				  .attempt = UINT32_MAX,
				  .contacted = 104,
				  .before = 105,
				  .generation = 106};
	struct pep_error err = {0};

	assert_int_equal(sizeof(id), offsetof(struct pep_identity, serial) + TEXT_COUNT * sizeof(char *));
	memcpy((char *)&id + offsetof(struct pep_identity, serial), text_names, sizeof(text_names));
	assert_int_equal(ops->insert(store, &id, &err), PEP_OK);
}

/* A store as the plugin makes it, with rows of all kinds. */
static int set_up(void **state)
{
	const struct pep_storage_ops *ops = plugin_table_load(PEP_TEST_PLUGIN_DIR "/sqlite.so", PEP_STORAGE)->ops;
	struct world *world = *state = calloc(1, sizeof(struct world));
	struct pep_host host = plugin_table_host();
	union pep_value values[SQLITE_OPTION_COUNT];
	struct pep_error err = {0};
	char sql[640];
	void *store;

	if (!world)
		return -1;
	sqlite_place_init(world->folder);
	(void)snprintf(world->path, sizeof(world->path), "%s/pep.db", world->folder);
	sqlite_place_values(world->path, values);
	if (ops->open(&host, values, &store, &err) != PEP_OK)
		return -1;
	insert_names(ops, store);
	ops->close(store);
	if (connection_open(world->path, CONNECTION_WRITER, 2048, &world->db, &err) != PEP_OK)
		return -1;
	(void)snprintf(
		sql, sizeof(sql),
		"WITH RECURSIVE n (i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d) "
		"INSERT INTO identity (serial, revision, state, created_ms, deployed_ms, lease_until_ms, attempt, contacted, "
		"before, generation, dispatch_id, enrollment_id) SELECT printf('GW-%%06d', i), 1, i %% 7 + 1, i, "
		"iif(i %% 3, 1000 + i, 0), iif(i %% 50, 0, 5000), 1, 1, 0, 0, iif(i %% 3, printf('%%024x', i), NULL), "
		"iif(i %% 2, printf('A-%%d', i), NULL) FROM n",
		ROW_COUNT);
	return sqlite3_exec(world->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	(void)sqlite3_close(world->db);
	sqlite_place_fini(world->folder);
	free(world);
	return 0;
}

/* Each line of the plan has to search an index from a key on, or by a key; nothing is sorted, unless it is few rows. */
static void expect_index(sqlite3 *db, const char *sql, bool may_sort)
{
	char explain[SQL_SIZE + 32];
	sqlite3_stmt *statement;
	unsigned searches = 0;

	(void)snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", sql);
	assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *line = (const char *)sqlite3_column_text(statement, 3);

		assert_non_null(line);
		if ((strstr(line, "TEMP B-TREE") && !may_sort) || strncmp(line, "SCAN identity", 13) == 0)
			fail_msg("%s: %s", sql, line);
		searches += strstr(line, "SEARCH identity USING") && strstr(line, "INDEX identity_");
	}
	assert_int_equal(searches, 1);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
}

static void every_statement_has_its_index(void **state)
{
	const struct world *world = *state;
	char sql[SQL_SIZE];

	for (unsigned number = QUERY_POINT; number < QUERY_COUNT; number++) {
		query_sql(number, sql, sizeof(sql));
		assert_true(strlen(sql) < sizeof(sql) - 1);
		if (number != QUERY_BEGIN && number != QUERY_END && number != QUERY_NOTE) /* notes are few, by primary key */
			expect_index(world->db, sql, strstr(sql, "identity_key") != NULL);
	}
}

static void numbers_are_distinct(void **state)
{
	bool seen[QUERY_COUNT] = {false};

	(void)state;
	for (unsigned bits = 0; bits < 160; bits++) {
		const struct query_shape shape = {(enum query_index)(bits / 32),
						  (bits & 16) ? QUERY_UNDISPATCHED : QUERY_DISPATCHED,
						  bits & 8,
						  bits & 4,
						  bits & 2,
						  bits & 1};
		unsigned number = query_walk(&shape);

		assert_in_range(number, QUERY_WALK, QUERY_COUNT - 1);
		assert_false(seen[number]);
		seen[number] = true;
	}
}

/* The work of one page, in steps of SQLite's machine, from `key` on. */
static int page_cost(sqlite3 *db, const struct query_shape *shape, const char *key)
{
	char sql[SQL_SIZE];
	sqlite3_stmt *statement;
	int cost, count = 0;

	query_sql(query_walk(shape), sql, sizeof(sql));
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	(void)sqlite3_bind_int(statement, 1,
			       shape->index == QUERY_STATE       ? PEP_RETIRED
			       : shape->part == QUERY_DISPATCHED ? PEP_DEPLOYED
								 : PEP_CLAIMED);
	(void)sqlite3_bind_int64(statement, 2, INT64_MAX);
	(void)sqlite3_bind_text(statement, 3, key, -1, SQLITE_STATIC);
	(void)sqlite3_bind_zeroblob(statement, 4, 0);
	(void)sqlite3_bind_int64(statement, 5, 0);
	(void)sqlite3_bind_int64(statement, 6, INT64_MAX);
	(void)sqlite3_bind_int(statement, 7, 20);
	while (sqlite3_step(statement) == SQLITE_ROW)
		count++;
	assert_int_equal(count, 20);
	cost = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0);
	assert_int_equal(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_SORT, 0), 0);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	return cost;
}

/* A late page costs what the first one costs: nobody counts rows to get there. */
static void every_page_costs_the_same(void **state)
{
	static const char *const late[] = {[QUERY_DISPATCHED] = "000000000000000000000700", [QUERY_UNDISPATCHED] = "GW-002500"};
	const struct world *world = *state;

	for (unsigned index = QUERY_ALL; index <= QUERY_STATE; index++) {
		for (unsigned part = QUERY_DISPATCHED; part <= QUERY_UNDISPATCHED; part++) {
			const struct query_shape shape = {
				.index = (enum query_index)index, .part = (enum query_part)part, .ranged = true};
			int first = page_cost(world->db, &shape, ""), last = page_cost(world->db, &shape, late[part]);

			/* Where a filter passes over rows, the pages begin at different ones. */
			assert_in_range(last, first - first / 20 - 5, first + first / 20 + 5);
		}
	}
}

/* For those who look into the file with other tools: a column holds the member of that name. */
static void columns_are_members(void **state)
{
	static const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
		{"revision", 1},         {"state", 8},       {"created_ms", 101}, {"deployed_ms", 102}, {"lease_until_ms", 103},
		{"attempt", UINT32_MAX}, {"contacted", 104}, {"before", 105},     {"generation", 106}};
	const struct world *world = *state;
	struct pep_error err = {0};
	char sql[160];
	int64_t value;

	for (size_t i = 0; i < TEXT_COUNT; i++) {
		(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM identity WHERE serial = 'serial' AND %s = '%s'",
			       text_names[i], text_names[i]);
		assert_int_equal(connection_number(world->db, world->path, sql, &value, &err), PEP_OK);
		if (value != 1)
			fail_msg("%s is something else", text_names[i]);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)snprintf(sql, sizeof(sql), "SELECT %s FROM identity WHERE serial = 'serial'", numbers[i].name);
		assert_int_equal(connection_number(world->db, world->path, sql, &value, &err), PEP_OK);
		assert_int_equal(value, numbers[i].value);
	}
}

/* What a list or an exporter is given is the right member, and nothing of what the server keeps to itself. */
static void brief_columns_are_members(void **state)
{
	static const char sql[] = "SELECT " RECORD_BRIEF_COLUMNS " FROM identity WHERE serial = 'serial'";
	const struct world *world = *state;
	struct pep_identity id[16];
	sqlite3_stmt *statement;
	size_t text_count = 0;

	assert_int_equal(sqlite3_prepare_v2(world->db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_in_range(record_read(statement, true, id, sizeof(id)), sizeof(id[0]), sizeof(id));
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		const char *text = (&id[0].serial)[i];

		text_count += text != NULL;
		if (text)
			assert_string_equal(text, text_names[i]);
	}
	assert_int_equal(text_count, 15);
	assert_null(id[0].verification_key);
	assert_null(id[0].nonce);
	assert_null(id[0].idempotency_key);
	assert_int_equal(id[0].state, 8);
	assert_int_equal(id[0].created_ms, 101);
	assert_int_equal(id[0].deployed_ms, 102);
	assert_int_equal(id[0].attempt, UINT32_MAX);
	assert_int_equal(id[0].generation, 106);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
}

static int64_t pragma(sqlite3 *db, const char *name)
{
	struct pep_error err = {0};
	char sql[64];
	int64_t number = -1;

	(void)snprintf(sql, sizeof(sql), "PRAGMA %s", name);
	assert_int_equal(connection_number(db, "test", sql, &number, &err), PEP_OK);
	return number;
}

static void check_connection(const char *path, enum connection_role role)
{
	struct pep_error err = {0};
	int defensive = 0, no_checkpoint = 0;
	sqlite3 *db;

	assert_int_equal(connection_open(path, role, 512, &db, &err), PEP_OK);
	assert_int_equal(pragma(db, "synchronous"), 2);
	assert_int_equal(pragma(db, "foreign_keys"), 1);
	assert_int_equal(pragma(db, "trusted_schema"), 0);
	assert_int_equal(pragma(db, "cell_size_check"), 1);
	assert_int_equal(pragma(db, "busy_timeout"), 5000);
	assert_int_equal(pragma(db, "wal_autocheckpoint"), 0);
	assert_int_equal(pragma(db, "cache_size"), -512);
	assert_int_equal(pragma(db, "query_only"), role == CONNECTION_READER);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, -1, &defensive);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &no_checkpoint);
	assert_int_equal(defensive, 1);
	assert_int_equal(no_checkpoint, role == CONNECTION_READER);
	assert_int_equal(sqlite3_db_readonly(db, "main"), role == CONNECTION_READER);
	(void)sqlite3_close(db);
}

static void connections_are_set_up(void **state)
{
	const struct world *world = *state;
	const unsigned char *mode;
	sqlite3_stmt *statement;

	check_connection(world->path, CONNECTION_WRITER);
	check_connection(world->path, CONNECTION_READER);
	assert_int_equal(sqlite3_prepare_v2(world->db, "PRAGMA journal_mode", -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	mode = sqlite3_column_text(statement, 0);
	assert_non_null(mode);
	assert_string_equal((const char *)mode, "wal");
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
}

/* STRICT: a value of another type is refused. */
static void types_are_kept(void **state)
{
	const struct world *world = *state;

	assert_int_equal(sqlite3_exec(world->db, "UPDATE identity SET state = 'x' WHERE id = 1", NULL, NULL, NULL),
			 SQLITE_CONSTRAINT_DATATYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_statement_has_its_index),
		cmocka_unit_test(numbers_are_distinct),
		cmocka_unit_test(every_page_costs_the_same),
		cmocka_unit_test(connections_are_set_up),
		cmocka_unit_test(types_are_kept),
		cmocka_unit_test(columns_are_members),
		cmocka_unit_test(brief_columns_are_members),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
