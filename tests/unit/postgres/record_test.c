/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/storage/postgres/record.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_COUNT ((sizeof(struct pep_identity) - offsetof(struct pep_identity, serial)) / sizeof(const char *))

static struct pep_identity some_record(char texts[TEXT_COUNT][16])
{
	struct pep_identity id = {.struct_size = sizeof(id),
				  .state = PEP_RETIRED,
				  .revision = INT64_MAX,
				  .created_ms = INT64_MIN,
				  .deployed_ms = -1,
				  .lease_until_ms = 0x0102030405060708,
				  .attempt = UINT32_MAX,
				  .contacted = 2,
				  .before = 3,
				  .generation = 4};

	for (size_t i = 0; i < TEXT_COUNT; i++) {
		(void)snprintf(texts[i], 16, "text %zu", i);
		(&id.serial)[i] = texts[i];
	}
	return id;
}

/* What was bound, as an answer that the server would give. */
static PGresult *answer_of(const struct record_row *row, bool brief)
{
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[RECORD_COLUMN_COUNT] = {{0}};
	int count = 0;

	while (record_column((size_t)count, brief)) {
		columns[count].name = strdup(record_column((size_t)count, brief));
		columns[count].format = 1;
		count++;
	}
	assert_int_equal(PQsetResultAttrs(result, count, columns), 1);
	for (int field = 0, i = 0; field < count; field++, i++) {
		while (strcmp(record_column((size_t)i, false), columns[field].name) != 0)
			i++;
		assert_int_equal(PQsetvalue(result, 0, field, (char *)row->values[i],
					    !row->values[i]        ? -1
					    : row->formats[i] == 1 ? row->sizes[i]
								   : (int)strlen(row->values[i])),
				 1);
	}
	for (int field = 0; field < count; field++)
		free(columns[field].name);
	return result;
}

static void every_member_goes_both_ways(void **state)
{
	char texts[TEXT_COUNT][16];
	struct pep_identity id = some_record(texts), found;
	struct record_row row;
	PGresult *result;

	(void)state;
	record_bind(&id, &row);
	result = answer_of(&row, false);
	record_read(result, 0, false, &found);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		assert_string_equal((&found.serial)[i], texts[i]);
	assert_memory_equal(&found, &id, offsetof(struct pep_identity, serial));
	PQclear(result);
}

static void absent_is_not_empty(void **state)
{
	struct pep_identity id = {.struct_size = sizeof(id), .serial = "one", .ou = ""}, found;
	struct record_row row;
	PGresult *result;

	(void)state;
	record_bind(&id, &row);
	result = answer_of(&row, false);
	record_read(result, 0, false, &found);
	assert_string_equal(found.ou, "");
	assert_null(found.dispatch_id);
	assert_null(found.history);
	PQclear(result);
}

static void brief_leaves_secrets(void **state)
{
	char texts[TEXT_COUNT][16];
	struct pep_identity id = some_record(texts), found;
	struct record_row row;
	PGresult *result;

	(void)state;
	record_bind(&id, &row);
	result = answer_of(&row, true);
	record_read(result, 0, true, &found);
	assert_string_equal(found.serial, id.serial);
	assert_string_equal(found.reason, id.reason);
	assert_string_equal(found.sixb_mac, id.sixb_mac);
	assert_int_equal(found.generation, id.generation);
	assert_int_equal(found.deployed_ms, id.deployed_ms);
	assert_null(found.verification_key);
	assert_null(found.nonce);
	assert_null(found.history);
	assert_int_equal(found.revision, 0);
	PQclear(result);
}

static void the_ends_are_where_statements_want_them(void **state)
{
	(void)state;
	assert_string_equal(record_column(0, false), "serial");
	assert_string_equal(record_column(RECORD_COLUMN_COUNT - 1, false), "revision");
	assert_null(record_column(RECORD_COLUMN_COUNT, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_goes_both_ways),
		cmocka_unit_test(absent_is_not_empty),
		cmocka_unit_test(brief_leaves_secrets),
		cmocka_unit_test(the_ends_are_where_statements_want_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
