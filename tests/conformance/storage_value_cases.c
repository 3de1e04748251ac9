/* SPDX-License-Identifier: Apache-2.0
 *
 * What a store must keep without changing a bit: long texts, odd letters, large numbers; and what walks make of them.
 */
#include "storage_cases.h"

#include "storage_data.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define TEXT_COUNT ((sizeof(struct pep_identity) - offsetof(struct pep_identity, serial)) / sizeof(const char *))
#define TEXT_SIZE_MAX 65536u

/* The longest serial, dispatch id, enrollment id and idempotency key that the server writes: databases limit what they index. */
#define SERIAL_SIZE 64u
#define DISPATCH_SIZE 24u
#define ENROLLMENT_SIZE 127u
#define KEY_SIZE 64u

static size_t longest(const struct pep_identity *id, const char *const *member)
{
	if (member == &id->serial)
		return SERIAL_SIZE;
	if (member == &id->dispatch_id)
		return DISPATCH_SIZE;
	if (member == &id->enrollment_id)
		return ENROLLMENT_SIZE;
	return member == &id->idempotency_key ? KEY_SIZE : TEXT_SIZE_MAX;
}

static void expect_found(struct store_driver *driver, const struct pep_identity *id)
{
	struct arena arena = {0};
	const struct pep_identity *found = store_get(driver, &arena, id->serial);

	assert_non_null(found);
	assert_same_identity(found, id);
	arena_fini(&arena);
}

/* Each text has its own letters, so one in the place of another shows. */
static void texts_of_any_length(void **state)
{
	static const size_t sizes[] = {1, 2, 63, 64, 65, 127, 128, 255, 256, 1024, 4095, 4096, 16384, TEXT_SIZE_MAX};
	struct store_driver *driver = *state;
	char *room = malloc(TEXT_COUNT * (TEXT_SIZE_MAX + 1));

	assert_non_null(room);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_ISSUED};

		for (size_t member = 0; member < TEXT_COUNT; member++) {
			const char **text = &(&id.serial)[member];
			char *own = room + member * (TEXT_SIZE_MAX + 1);
			size_t limit = longest(&id, text), size = sizes[i] < limit ? sizes[i] : limit;

			for (size_t at = 0; at < size; at++)
				own[at] = (char)('!' + (at * 7 + member + i) % 90);
			own[size] = '\0';
			*text = own;
		}
		assert_int_equal(store_insert(driver, &id), PEP_OK);
		id.revision = 1;
		expect_found(driver, &id);
	}
	free(room);
}

/* The first and last of each length, and pairs that look, sort or fold alike but are different bytes. */
static const char *const odd_texts[] = {"\xc2\xa0",
					"\xdf\xbf",
					"\xe0\xa0\x80",
					"\xed\x9f\xbf",
					"\xee\x80\x80",
					"\xef\xbf\xbf",
					"\xef\xbb\xbf",
					"\xf0\x90\x80\x80",
					"\xf4\x8f\xbf\xbf",
					"stra\xc3\x9f\x65",
					"strasse",
					"STRASSE",
					"\xef\xac\x80",
					"ff",
					"\xc3\xa9",
					"e\xcc\x81",
					"e",
					"\xc4\xb1",
					"i",
					"I",
					"\xc4\xb0",
					"\xe2\x80\xae\x61\x62\x63\xe2\x80\xac",
					"abc",
					"\\u0000",
					"\\0",
					"a\\",
					"\"",
					"{}",
					"[1,2]",
					"$where",
					".",
					"a.b",
					"_id",
					"%d",
					"\xe2\x84\xab",
					"\xc3\x85",
					"A\xcc\x8a",
					"1",
					"01",
					"1.0",
					"\xd9\xa1",
					"true",
					"\xe2\x80\x8b",
					"\xe3\x81\x8b",
					"\xe3\x82\xab"};

static struct pep_identity odd_record(const char *text, size_t number)
{
	struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_DEPLOYED, .created_ms = (int64_t)number};

	for (size_t member = 0; member < TEXT_COUNT; member++)
		(&id.serial)[member] = text;
	return id;
}

static void letters_of_all_kinds(void **state)
{
	struct store_driver *driver = *state;
	struct data data;
	struct entry *entries = data_alloc(&data, COUNT(odd_texts));

	for (size_t i = 0; i < COUNT(odd_texts); i++)
		entries[i].id = odd_record(odd_texts[i], i);
	data_insert(driver, &data);
	data_check_query(driver, &data, SCAN_QUERY(.limit = 0));
	data_check_query(driver, &data, SCAN_QUERY(.descending = 1));
	for (size_t i = 0; i < COUNT(odd_texts); i++) {
		data_check_query(driver, &data, SCAN_QUERY(.serial = odd_texts[i]));
		data_check_query(driver, &data, SCAN_QUERY(.idempotency_key = odd_texts[i]));
		data_check_query(driver, &data, SCAN_QUERY(.after = odd_texts[i]));
		data_check_query(driver, &data, SCAN_QUERY(.after = odd_texts[i], .descending = 1, .limit = 3));
	}
	data_free(&data);
}

/* 16 letters of 4 bytes are 64 bytes: the limit is not one of letters, nor is that of the next one. */
static void a_serial_of_64_bytes(void **state)
{
	struct store_driver *driver = *state;
	struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_CLAIMED};
	char serial[80] = "";

	for (size_t i = 0; i < 16; i++)
		memcpy(serial + 4 * i, "\xf0\x9f\x90\x88", 5);
	id.serial = serial;
	assert_int_equal(store_insert(driver, &id), PEP_OK);
	assert_int_equal(store_insert(driver, &id), PEP_CONFLICT);
	id.revision = 1;
	expect_found(driver, &id);
	assert_int_equal(store_update(driver, &id), PEP_OK);
	serial[63] = '\x89'; /* its neighbour: only the last bit differs */
	assert_int_equal(store_insert(driver, &id), PEP_OK);
	expect_found(driver, &id);
	(void)snprintf(serial + 60, 8, "\xc3\xa4\xc3\xa4\xc3\xa4"); /* 66 bytes, but only 18 letters */
	assert_int_equal(store_insert(driver, &id), PEP_INVALID);
}

static void numbers_of_any_size(void **state)
{
	static const uint32_t counts[] = {0, 1, INT32_MAX, (uint32_t)INT32_MAX + 1, UINT32_MAX};
	/* The last but one is the first that a double cannot hold. */
	static const int64_t times_ms[] = {INT64_MIN, -1, 0, 1, INT64_C(4294967296), INT64_C(9007199254740993), INT64_MAX};
	struct store_driver *driver = *state;

	for (unsigned i = 0; i < COUNT(counts) * COUNT(times_ms); i++) {
		char serial[16];
		struct pep_identity id = {.struct_size = sizeof(id),
					  .state = PEP_CLAIMED + i % PEP_RETIRED,
					  .created_ms = times_ms[i % COUNT(times_ms)],
					  .deployed_ms = times_ms[(i + 1) % COUNT(times_ms)],
					  .lease_until_ms = times_ms[(i + 2) % COUNT(times_ms)],
					  .attempt = counts[i % COUNT(counts)],
					  .contacted = counts[(i + 1) % COUNT(counts)],
					  .before = counts[(i + 2) % COUNT(counts)],
					  .generation = counts[(i + 3) % COUNT(counts)],
					  .serial = serial};

		(void)snprintf(serial, sizeof(serial), "GW-%02u", i);
		assert_int_equal(store_insert(driver, &id), PEP_OK);
		id.revision = 1;
		expect_found(driver, &id);
	}
}

static void odd_times_are_compared(void **state)
{
	static const int64_t times_ms[] = {
		INT64_MIN,     INT64_MIN + 1, -1, 0, 1, 2, INT64_C(9007199254740992), INT64_C(9007199254740993),
		INT64_MAX - 1, INT64_MAX};
	enum { TIME_COUNT = COUNT(times_ms) };
	struct store_driver *driver = *state;
	struct data data;
	struct entry *entries = data_alloc(&data, (size_t)TIME_COUNT * TIME_COUNT);

	for (unsigned i = 0; i < data.count; i++) {
		(void)snprintf(entries[i].serial, sizeof(entries[i].serial), "GW-%03u", i);
		(void)snprintf(entries[i].dispatch_id, sizeof(entries[i].dispatch_id), "%03u", 999 - i);
		entries[i].id = (struct pep_identity){.struct_size = sizeof(entries[i].id),
						      .state = PEP_DEPLOYED,
						      .deployed_ms = times_ms[i % TIME_COUNT],
						      .lease_until_ms = times_ms[i / TIME_COUNT],
						      .serial = entries[i].serial,
						      .dispatch_id = i % 3 ? entries[i].dispatch_id : NULL};
	}
	data_insert(driver, &data);
	for (unsigned i = 0; i < TIME_COUNT; i++) {
		data_check_query(driver, &data, SCAN_QUERY(.lease_before_ms = times_ms[i], .descending = i % 2));
		for (unsigned j = 0; j < TIME_COUNT; j++)
			data_check_query(
				driver, &data,
				SCAN_QUERY(.deployed_from_ms = times_ms[i], .deployed_to_ms = times_ms[j], .descending = j % 2));
	}
	data_free(&data);
}

/* Members that walks look for are written by updates, too. */
static void walks_see_updates(void **state)
{
	struct store_driver *driver = *state;
	struct data data;

	data_make_small(driver, &data);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = round; i < data.count; i += 3) {
			struct entry *entry = &data.entries[i];

			entry->id.state = 1 + (entry->id.state + round) % 7;
			entry->id.deployed_ms = round == 1 ? 0 : 1000 + (i * 31) % DATA_SMALL_COUNT;
			entry->id.lease_until_ms = i % 2 ? 0 : 500 + i;
			entry->id.idempotency_key = round == 2 ? NULL : i % 2 ? "key-c" : "key-a";
			/* One gets a place in the list, one loses it, one gets another. */
			(void)snprintf(entry->dispatch_id, sizeof(entry->dispatch_id), "u%03u", (i * 53) % DATA_SMALL_COUNT);
			entry->id.dispatch_id = i % 4 ? entry->dispatch_id : NULL;
			assert_int_equal(store_update(driver, &entry->id), PEP_OK);
			entry->id.revision++;
		}
		data_sort(&data);
		for (unsigned descending = 0; descending < 2; descending++) {
			data_check_query(driver, &data, SCAN_QUERY(.descending = descending));
			data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .state = PEP_DEPLOYED));
			data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .lease_before_ms = 540));
			data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .deployed_from_ms = 1030));
			data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .after = "u030", .limit = 9));
			data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .idempotency_key = "key-a"));
			data_check_query(driver, &data, SCAN_QUERY(.descending = descending, .idempotency_key = "key-c"));
		}
	}
	data_free(&data);
}

static void brief_walks(void **state)
{
	struct store_driver *driver = *state;
	struct data data;
	struct entry *entries = data_alloc(&data, 600);

	for (unsigned i = 0; i < data.count; i++) {
		struct entry *entry = &entries[i];

		(void)snprintf(entry->serial, sizeof(entry->serial), "GW-%03u", (i * 7) % 600);
		(void)snprintf(entry->dispatch_id, sizeof(entry->dispatch_id), "d%03u", i);
		(void)snprintf(entry->enrollment_id, sizeof(entry->enrollment_id), "e%03u", i);
		/* All members; those that are looked for differ. */
		entry->id = odd_record(i % 2 ? "odd" : "even", i);
		entry->id.serial = entry->serial;
		entry->id.dispatch_id = i % 5 ? entry->dispatch_id : NULL;
		entry->id.enrollment_id = entry->enrollment_id;
		entry->id.deployed_ms = 1000 + i;
		entry->id.lease_until_ms = i % 3 ? 0 : i + 1;
		entry->id.attempt = entry->id.contacted = entry->id.before = entry->id.generation = i;
	}
	data_insert(driver, &data);
	for (unsigned descending = 0; descending < 2; descending++) {
		data_check_query(driver, &data, SCAN_QUERY(.brief = 1, .descending = descending));
		data_check_query(driver, &data,
				 SCAN_QUERY(.brief = 1, .descending = descending, .state = PEP_DEPLOYED, .limit = 300));
		data_check_query(driver, &data, SCAN_QUERY(.brief = 1, .descending = descending, .after = "d300"));
		data_check_query(driver, &data, SCAN_QUERY(.brief = 1, .descending = descending, .lease_before_ms = 100));
		data_check_query(driver, &data, SCAN_QUERY(.brief = 1, .descending = descending, .deployed_from_ms = 1100));
		data_check_query(driver, &data,
				 SCAN_QUERY(.brief = UINT32_MAX, .descending = descending, .idempotency_key = "odd"));
		data_check_query(driver, &data, SCAN_QUERY(.brief = 1, .descending = descending, .serial = "GW-007"));
	}
	data_free(&data);
}

/* A server whose query has members that the plugin does not know. */
static void a_longer_query(void **state)
{
	struct store_driver *driver = *state;
	struct {
		struct pep_scan_query query;
		char more[64];
	} newer = {.query = *SCAN_QUERY(.limit = 5)};
	struct pep_error err = {0};
	struct data data;
	void *scan;
	unsigned count = 0;

	newer.query.struct_size = sizeof(newer);
	memset(newer.more, 0xff, sizeof(newer.more));
	data_make_many(driver, &data, 20, 20);
	assert_int_equal(driver->ops->scan_open(driver->store, &newer.query, &scan, &err), PEP_OK);
	while (walk_next(driver, scan))
		count++;
	walk_close(driver, scan);
	assert_int_equal(count, 5);
	data_free(&data);
}

/* Closed and opened again: every record, every order, every key that must stay unique. */
static void all_is_the_same_after_reopening(void **state)
{
	struct store_driver *driver = *state;
	const struct storage_facts *facts = driver->facts;
	unsigned number = driver->number;
	struct data data;

	data_make_small(driver, &data);
	for (unsigned round = 0; round < 3; round++) {
		struct entry *entry = &data.entries[10 + round];
		struct pep_identity twin = {.struct_size = sizeof(twin), .state = PEP_CLAIMED, .serial = "twin"};

		store_close(driver);
		store_open(driver, facts, number);
		data_check_query(driver, &data, SCAN_QUERY(.limit = 0));
		data_check_query(driver, &data, SCAN_QUERY(.descending = 1, .state = PEP_DEPLOYED));
		data_check_query(driver, &data, SCAN_QUERY(.idempotency_key = "key-b"));
		twin.dispatch_id = data.sorted[0]->dispatch_id;
		assert_non_null(twin.dispatch_id);
		assert_int_equal(store_insert(driver, &twin), PEP_CONFLICT);
		assert_int_equal(store_insert(driver, &entry->id), PEP_CONFLICT);
		assert_int_equal(store_update(driver, &entry->id), PEP_OK);
		entry->id.revision++;
	}
	data_free(&data);
}

const struct storage_case storage_value_cases[] = {
	{"texts_of_any_length", texts_of_any_length},
	{"letters_of_all_kinds", letters_of_all_kinds},
	{"a_serial_of_64_bytes", a_serial_of_64_bytes},
	{"numbers_of_any_size", numbers_of_any_size},
	{"odd_times_are_compared", odd_times_are_compared},
	{"walks_see_updates", walks_see_updates},
	{"brief_walks", brief_walks},
	{"a_longer_query", a_longer_query},
	{"all_is_the_same_after_reopening", all_is_the_same_after_reopening},
	{NULL, NULL},
};
