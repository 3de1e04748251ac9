/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_data.h"

#include "storage_model.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILLER_COUNT 32u

/* One of several threads that fill a store, because a plugin may write many records for the price of one. */
struct filler {
	struct store_driver *driver;
	struct data *data;
	size_t first;
	unsigned failed;
	pthread_t thread;
};

static void *fill(void *arg)
{
	struct filler *filler = arg;

	for (size_t i = filler->first; i < filler->data->count; i += FILLER_COUNT)
		filler->failed += store_insert(filler->driver, &filler->data->entries[i].id) != PEP_OK;
	return NULL;
}

void data_insert(struct store_driver *driver, struct data *data)
{
	struct filler fillers[FILLER_COUNT];

	data->sorted = calloc(data->count, sizeof(void *));
	assert_non_null(data->sorted);
	for (size_t i = 0; i < FILLER_COUNT; i++) {
		fillers[i] = (struct filler){.driver = driver, .data = data, .first = i};
		assert_int_equal(pthread_create(&fillers[i].thread, NULL, fill, &fillers[i]), 0);
	}
	for (size_t i = 0; i < FILLER_COUNT; i++) {
		assert_int_equal(pthread_join(fillers[i].thread, NULL), 0);
		assert_int_equal(fillers[i].failed, 0);
	}
	for (size_t i = 0; i < data->count; i++)
		data->entries[i].id.revision = 1;
	data_sort(data);
}

void data_sort(struct data *data)
{
	for (size_t i = 0; i < data->count; i++)
		data->sorted[i] = &data->entries[i].id;
	model_sort(data->sorted, data->count);
}

void data_free(struct data *data)
{
	free(data->entries);
	free(data->sorted);
}

struct entry *data_alloc(struct data *data, size_t count)
{
	data->count = count;
	data->entries = calloc(count, sizeof(data->entries[0]));
	assert_non_null(data->entries);
	return data->entries;
}

void data_make_small(struct store_driver *driver, struct data *data)
{
	struct entry *entries = data_alloc(data, DATA_SMALL_COUNT);

	for (unsigned i = 0; i < DATA_SMALL_COUNT; i++) {
		struct entry *entry = &entries[i];
		unsigned mixed = (i * 37) % DATA_SMALL_COUNT;

		(void)snprintf(entry->serial, sizeof(entry->serial), "GW-%u", mixed);
		(void)snprintf(entry->dispatch_id, sizeof(entry->dispatch_id), "%x%s", (i * 53) % DATA_SMALL_COUNT,
			       i % 9 ? "" : "-b");
		entry->id = (struct pep_identity){.struct_size = sizeof(entry->id),
						  .state = 1 + i % 7,
						  .created_ms = i,
						  .deployed_ms = i % 5 ? 1000 + (i * 53) % DATA_SMALL_COUNT : 0,
						  .lease_until_ms = i % 4 ? 0 : 500 + mixed,
						  .serial = entry->serial,
						  .idempotency_key = i % 6   ? "key-a"
								     : i % 4 ? "key-b"
									     : NULL,
						  .dispatch_id = i % 3 ? entry->dispatch_id : NULL};
		if (i == 17)
			entry->id.lease_until_ms = -5; /* no lease */
	}
	data_insert(driver, data);
}

void data_make_many(struct store_driver *driver, struct data *data, unsigned count, unsigned dispatched)
{
	struct entry *entries = data_alloc(data, count);

	for (unsigned i = 0; i < count; i++) {
		struct entry *entry = &entries[i];

		(void)snprintf(entry->serial, sizeof(entry->serial), "GW-%06u", (i * 7919u) % count);
		(void)snprintf(entry->dispatch_id, sizeof(entry->dispatch_id), "d%06u", i);
		entry->id = (struct pep_identity){.struct_size = sizeof(entry->id),
						  .state = i < dispatched ? PEP_DEPLOYED : PEP_FAILED,
						  .deployed_ms = i < dispatched ? 1000 + i : 0,
						  .serial = entry->serial,
						  .dispatch_id = i < dispatched ? entry->dispatch_id : NULL};
	}
	data_insert(driver, data);
}

static void print_query(const struct pep_scan_query *query)
{
	print_error("limit %u, state %u, descending %u, serial %s, after %s, deployed %lld to %lld, lease before %lld, key %s, "
		    "brief %u\n",
		    query->limit, query->state, query->descending, query->serial ? query->serial : "any",
		    query->after ? query->after : "any", (long long)query->deployed_from_ms, (long long)query->deployed_to_ms,
		    (long long)query->lease_before_ms, query->idempotency_key ? query->idempotency_key : "any", query->brief);
}

void data_check_query(struct store_driver *driver, const struct data *data, const struct pep_scan_query *query)
{
	const struct pep_identity **expected = calloc(data->count + 1, sizeof(void *));
	const struct pep_identity *id;
	size_t expected_count, count = 0;
	void *scan;

	assert_non_null(expected);
	expected_count = model_select(data->sorted, data->count, query, expected);
	scan = walk_open(driver, query);
	while ((id = walk_next(driver, scan))) {
		if (count == expected_count || strcmp(id->serial, expected[count]->serial) != 0) {
			print_query(query);
			fail_msg("record %zu of %zu is %s instead of %s", count + 1, expected_count, id->serial,
				 count < expected_count ? expected[count]->serial : "none");
		}
		if (query->brief)
			assert_same_brief(id, expected[count]);
		else
			assert_same_identity(id, expected[count]);
		count++;
	}
	/* The end stays the end. */
	assert_null(walk_next(driver, scan));
	walk_close(driver, scan);
	if (count != expected_count)
		print_query(query);
	assert_int_equal(count, expected_count);
	if (driver->ops->count)
		assert_int_equal(store_count(driver, query), expected_count);
	free(expected);
}
