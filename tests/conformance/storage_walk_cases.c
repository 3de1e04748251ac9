/* SPDX-License-Identifier: Apache-2.0
 *
 * What walks promise: which records, in which order, whatever happens meanwhile.
 */
#include "storage_cases.h"

#include "storage_data.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY_COUNT 2100u /* more than a plugin is likely to fetch at once */

#define EACH(variable, list) for (size_t(variable) = 0; (variable) < sizeof(list) / sizeof((list)[0]); (variable)++)

static void check_filters(struct store_driver *driver, const struct data *data, struct pep_scan_query query)
{
	static const uint32_t states[] = {0, PEP_CLAIMED, PEP_DEPLOYED, PEP_RETIRED, 8};
	static const struct {
		int64_t from_ms, to_ms;
	} ranges[] = {{0, 0},       {1020, 0},    {0, 1050}, {1020, 1050},          {1, 1021},
		      {1050, 1020}, {1033, 1034}, {-1, 1},   {INT64_MIN, INT64_MAX}};
	static const int64_t leases_ms[] = {0, 540, 1, INT64_MAX, -1};

	EACH(i, states)
	{
		query.state = states[i];
		EACH(j, ranges)
		{
			query.deployed_from_ms = ranges[j].from_ms;
			query.deployed_to_ms = ranges[j].to_ms;
			EACH(k, leases_ms)
			{
				query.lease_before_ms = leases_ms[k];
				data_check_query(driver, data, &query);
			}
		}
	}
}

static void every_combination_of_filters(void **state)
{
	static const char *const afters[] = {NULL, "", "10", "10-b", "2f", "11-a", "zz"};
	static const uint32_t limits[] = {0, 1, 7, DATA_SMALL_COUNT, UINT32_MAX};
	struct store_driver *driver = *state;
	struct data data;

	data_make_small(driver, &data);
	EACH(i, afters)
	{
		EACH(j, limits)
		{
			check_filters(driver, &data, *SCAN_QUERY(.after = afters[i], .limit = limits[j]));
			check_filters(driver, &data, *SCAN_QUERY(.after = afters[i], .limit = limits[j], .descending = 1));
		}
	}
	data_free(&data);
}

static void an_idempotency_key_and_filters(void **state)
{
	static const char *const keys[] = {"key-a", "key-b", "key-", ""};
	static const char *const afters[] = {NULL, "10", "2f"};
	struct store_driver *driver = *state;
	struct data data;

	data_make_small(driver, &data);
	EACH(i, keys)
	{
		EACH(j, afters)
		{
			check_filters(driver, &data, *SCAN_QUERY(.idempotency_key = keys[i], .after = afters[j], .limit = 5));
			check_filters(driver, &data, *SCAN_QUERY(.idempotency_key = keys[i], .after = afters[j], .descending = 1));
		}
	}
	check_filters(driver, &data, *SCAN_QUERY(.idempotency_key = "key-a", .serial = "GW-17"));
	data_free(&data);
}

static void a_serial_and_filters(void **state)
{
	static const char *const serials[] = {"GW-0", "GW-17", "GW-44", "GW-89", "GW-90", "gw-1", ""};
	static const char *const afters[] = {NULL, "10", "2f"};
	struct store_driver *driver = *state;
	struct data data;

	data_make_small(driver, &data);
	EACH(i, serials)
	{
		EACH(j, afters)
		{
			check_filters(driver, &data, *SCAN_QUERY(.serial = serials[i], .after = afters[j]));
			check_filters(driver, &data,
				      *SCAN_QUERY(.serial = serials[i], .after = afters[j], .descending = 1, .limit = 1));
		}
	}
	data_free(&data);
}

static void an_empty_store(void **state)
{
	struct data data = {0};
	const struct pep_identity *none = NULL;

	data.sorted = &none;
	data.count = 0;
	data_check_query(*state, &data, SCAN_QUERY(.limit = 0));
	data_check_query(*state, &data, SCAN_QUERY(.descending = 1, .deployed_from_ms = 5));
	data_check_query(*state, &data, SCAN_QUERY(.serial = "x"));
	data_check_query(*state, &data, SCAN_QUERY(.lease_before_ms = 5, .after = "a"));
}

static void order_is_bytewise(void **state)
{
	static const char *const keys[] = {"b", "B", "a",  "a b", "a!", "ab",       "\xc3\xa4", "z", "10", "9", "\xf0\x9f\x90\x88",
					   "_", "",  "aa", "A",   "}",  "a\xcc\x88"};
	struct store_driver *driver = *state;
	struct data data;
	struct entry *entries = data_alloc(&data, 2 * sizeof(keys) / sizeof(keys[0]));

	for (unsigned i = 0; i < data.count; i++) {
		const char *key = keys[i / 2];

		(void)snprintf(entries[i].serial, sizeof(entries[i].serial), "%s%s", key, i % 2 ? "" : "~");
		entries[i].id = (struct pep_identity){.struct_size = sizeof(entries[i].id),
						      .state = PEP_CLAIMED,
						      .serial = *entries[i].serial ? entries[i].serial : "-",
						      .dispatch_id = i % 2 ? NULL : key};
	}
	data_insert(driver, &data);
	for (unsigned descending = 0; descending < 2; descending++) {
		data_check_query(driver, &data, SCAN_QUERY(.descending = descending));
		data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .state = PEP_CLAIMED));
		EACH(i, keys)
		{
			data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .after = keys[i]));
			data_check_query(driver, &data,
					 SCAN_QUERY(.descending = descending, .after = keys[i], .state = PEP_CLAIMED));
		}
	}
	data_free(&data);
}

static void long_walks(void **state)
{
	struct store_driver *driver = *state;
	struct data data;

	data_make_many(driver, &data, MANY_COUNT, MANY_COUNT / 2);
	for (unsigned descending = 0; descending < 2; descending++) {
		data_check_query(driver, &data, SCAN_QUERY(.descending = descending));
		data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .limit = MANY_COUNT - 1));
		data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .limit = 256));
		data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .limit = 512, .after = "d000700"));
		data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .state = PEP_DEPLOYED));
		data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .state = PEP_FAILED));
		data_check_query(driver, &data,
				 SCAN_QUERY(.descending = descending, .deployed_from_ms = 1100, .deployed_to_ms = 1900));
	}
	data_free(&data);
}

/* Records so large that a plugin cannot take many at once. */
static void large_records(void **state)
{
	static const size_t sizes[] = {10, 300000, 200, 130000, 126000, 0, 64000, 64000, 64000, 5000, 1000000};
	struct store_driver *driver = *state;
	struct data data;
	struct entry *entries = data_alloc(&data, sizeof(sizes) / sizeof(sizes[0]));
	char *text = malloc(1000001);

	assert_non_null(text);
	memset(text, 'h', 1000000);
	text[1000000] = '\0';
	for (unsigned i = 0; i < data.count; i++) {
		(void)snprintf(entries[i].serial, sizeof(entries[i].serial), "GW-%02u", i);
		entries[i].id = (struct pep_identity){.struct_size = sizeof(entries[i].id),
						      .state = PEP_CLAIMED,
						      .serial = entries[i].serial,
						      .history = text + 1000000 - sizes[i]};
	}
	data_insert(driver, &data);
	data_check_query(driver, &data, SCAN_QUERY(.limit = 0));
	data_check_query(driver, &data, SCAN_QUERY(.descending = 1));
	data_check_query(driver, &data, SCAN_QUERY(.serial = "GW-10"));
	data_free(&data);
	free(text);
}

/* Page by page with `after`, as the list in the API does, while new records come in at the end. */
static void pages_while_records_come_in(void **state)
{
	struct store_driver *driver = *state;
	struct data data;
	struct entry late = {0};
	char after[32] = "";
	size_t seen = 0;
	bool more = true;

	data_make_many(driver, &data, 500, 500);
	late.id = (struct pep_identity){
		.struct_size = sizeof(late.id), .state = PEP_DEPLOYED, .serial = late.serial, .dispatch_id = late.dispatch_id};
	for (unsigned page = 0; more; page++) {
		struct pep_scan_query query = *SCAN_QUERY(.limit = 50, .state = PEP_DEPLOYED, .after = *after ? after : NULL);
		void *scan = walk_open(driver, &query);
		const struct pep_identity *id;

		more = false;
		while ((id = walk_next(driver, scan))) {
			assert_true(strcmp(id->dispatch_id, after) > 0);
			(void)snprintf(after, sizeof(after), "%s", id->dispatch_id);
			if (after[0] == 'd') {
				assert_string_equal(id->serial, data.sorted[seen]->serial);
				seen++;
			}
			more = true;
		}
		walk_close(driver, scan);
		if (page > 20)
			continue;
		(void)snprintf(late.serial, sizeof(late.serial), "late %u", page);
		(void)snprintf(late.dispatch_id, sizeof(late.dispatch_id), "e%06u", page);
		assert_int_equal(store_insert(driver, &late.id), PEP_OK);
	}
	assert_int_equal(seen, data.count);
	assert_string_equal(after, late.dispatch_id);
	data_free(&data);
}

/* A walk that nobody continues for a while is in nobody's way, and finds what was there all the time. */
static void an_open_walk_holds_up_nobody(void **state)
{
	struct store_driver *driver = *state;
	const struct pep_identity *id;
	struct data data;
	size_t seen = 0;
	void *scan;

	data_make_many(driver, &data, MANY_COUNT, MANY_COUNT);
	scan = walk_open(driver, SCAN_QUERY(.state = PEP_DEPLOYED));
	id = walk_next(driver, scan);
	assert_non_null(id);
	for (unsigned i = 0; i < 300; i++) {
		struct entry late = {.id = data.entries[i].id};

		late.id.ou = "changed";
		assert_int_equal(store_update(driver, &late.id), PEP_OK);
		(void)snprintf(late.serial, sizeof(late.serial), "late %u", i);
		(void)snprintf(late.dispatch_id, sizeof(late.dispatch_id), "c%06u", i); /* before all of them */
		late.id.serial = late.serial;
		late.id.dispatch_id = late.dispatch_id;
		assert_int_equal(store_insert(driver, &late.id), PEP_OK);
	}
	/* The record handed out before is still what it was. */
	assert_string_equal(id->serial, data.sorted[0]->serial);
	assert_null(id->ou);
	for (; id; id = walk_next(driver, scan)) {
		assert_string_equal(id->serial, data.sorted[seen]->serial);
		seen++;
	}
	walk_close(driver, scan);
	assert_int_equal(seen, data.count);
	data_free(&data);
}

static void many_walks_at_once(void **state)
{
	enum { WALK_COUNT = 64 };
	struct store_driver *driver = *state;
	struct data data;
	void *scans[WALK_COUNT];
	size_t seen = 0;

	data_make_many(driver, &data, 600, 300);
	for (unsigned i = 0; i < WALK_COUNT; i++)
		scans[i] = walk_open(driver, SCAN_QUERY(.descending = i % 2, .limit = i % 4 == 3 ? 10 : 0));
	for (size_t step = 0; step < data.count; step++) {
		for (unsigned i = 0; i < WALK_COUNT; i++) {
			const struct pep_identity *id = walk_next(driver, scans[i]);

			if (i % 4 == 3 && step >= 10) {
				assert_null(id);
				continue;
			}
			assert_non_null(id);
			assert_string_equal(id->serial, data.sorted[i % 2 ? data.count - 1 - step : step]->serial);
			seen++;
		}
	}
	for (unsigned i = 0; i < WALK_COUNT; i++) {
		assert_null(walk_next(driver, scans[i]));
		walk_close(driver, scans[i]);
	}
	assert_int_equal(seen, 48 * data.count + (size_t)16 * 10);
	data_free(&data);
}

static void walks_may_end_early(void **state)
{
	struct store_driver *driver = *state;
	struct data data;

	data_make_many(driver, &data, 600, 300);
	for (unsigned i = 0; i < 200; i++) {
		void *scan = walk_open(driver, i % 3 ? SCAN_QUERY(.descending = i % 2) : SCAN_QUERY(.serial = "GW-000001"));

		for (unsigned step = 0; step < i % 5; step++)
			(void)walk_next(driver, scan);
		walk_close(driver, scan);
	}
	data_check_query(driver, &data, SCAN_QUERY(.limit = 0));
	data_free(&data);
}

/* A server whose query has fewer members: what it does not know is not asked for. */
static void a_shorter_query(void **state)
{
	struct store_driver *driver = *state;
	struct pep_scan_query query = *SCAN_QUERY(.limit = 5, .after = "~", .lease_before_ms = 1);
	struct pep_error err = {0};
	struct data data;
	void *scan;
	unsigned count = 0;

	query.struct_size = offsetof(struct pep_scan_query, after);
	data_make_many(driver, &data, 20, 20);
	assert_int_equal(driver->ops->scan_open(driver->store, &query, &scan, &err), PEP_OK);
	while (walk_next(driver, scan))
		count++;
	walk_close(driver, scan);
	assert_int_equal(count, 5);
	data_free(&data);
}

const struct storage_case storage_walk_cases[] = {
	{"every_combination_of_filters", every_combination_of_filters},
	{"an_idempotency_key_and_filters", an_idempotency_key_and_filters},
	{"a_serial_and_filters", a_serial_and_filters},
	{"an_empty_store", an_empty_store},
	{"order_is_bytewise", order_is_bytewise},
	{"long_walks", long_walks},
	{"large_records", large_records},
	{"pages_while_records_come_in", pages_while_records_come_in},
	{"an_open_walk_holds_up_nobody", an_open_walk_holds_up_nobody},
	{"many_walks_at_once", many_walks_at_once},
	{"walks_may_end_early", walks_may_end_early},
	{"a_shorter_query", a_shorter_query},
	{NULL, NULL},
};
