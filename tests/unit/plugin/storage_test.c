/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/instance.h"
#include "loader_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* A plugin whose answers the test sets. */
static struct fake {
	pep_status status;
	bool is_silent; /* fails without a message */
	const struct pep_identity *record;
	bool is_read;
	int opened, closed, scans;
	atomic_int pings;
	const struct pep_host *host;
} fake;
static struct pep_error err;

static pep_status answer(struct pep_error *ret_err)
{
	if (fake.status != PEP_OK && !fake.is_silent)
		return pep_fail(ret_err, fake.status, 5, "fake says no");
	return fake.status;
}

static pep_status fake_open(const struct pep_host *host, const union pep_value *values, void **ret_store, struct pep_error *ret_err)
{
	assert_null(values);
	fake.host = host;
	if (fake.status != PEP_OK)
		return answer(ret_err);
	fake.opened++;
	*ret_store = &fake;
	return PEP_OK;
}

static void fake_close(void *store)
{
	assert_ptr_equal(store, &fake);
	fake.closed++;
}

/* Two calls at once lose a count: each reads it, lets the others run, and writes it back. */
static pep_status fake_ping(void *store, struct pep_error *ret_err)
{
	int count = atomic_load(&fake.pings);

	(void)store;
	(void)sched_yield();
	atomic_store(&fake.pings, count + 1);
	return answer(ret_err);
}

static pep_status fake_write(void *store, const struct pep_identity *id, struct pep_error *ret_err)
{
	(void)store;
	(void)id;
	return answer(ret_err);
}

static pep_status fake_scan_open(void *store, const struct pep_scan_query *query, void **ret_scan, struct pep_error *ret_err)
{
	assert_int_equal(query->struct_size, sizeof(*query));
	if (fake.status != PEP_OK)
		return answer(ret_err);
	fake.scans++;
	fake.is_read = false;
	*ret_scan = store;
	return PEP_OK;
}

static pep_status fake_scan_next(void *scan, const struct pep_identity **ret_id, struct pep_error *ret_err)
{
	(void)scan;
	if (fake.status != PEP_OK)
		return answer(ret_err);
	*ret_id = fake.is_read ? NULL : fake.record;
	fake.is_read = true;
	return PEP_OK;
}

static void fake_scan_close(void *scan)
{
	(void)scan;
	fake.scans--;
}

static pep_status fake_now(void *store, int64_t *ret_ms, struct pep_error *ret_err)
{
	(void)store;
	*ret_ms = 42;
	return answer(ret_err);
}

static struct storage *open_fake(uint32_t threads)
{
	static const struct instance_context context = {.plugin_dir = "/p", .data_dir = "/d"};
	static const struct config_instance config = {.name = "db", .plugin = "fake", .place = {"c.yaml", 3, 5}};
	struct storage *storage = NULL;

	stub_library.ops.storage = (struct pep_storage_ops){
		.struct_size = sizeof(struct pep_storage_ops),
		.threads = threads,
		.flags = PEP_STORAGE_DURABLE,
		.open = fake_open,
		.close = fake_close,
		.ping = fake_ping,
		.insert = fake_write,
		.update = fake_write,
		.scan_open = fake_scan_open,
		.scan_next = fake_scan_next,
		.scan_close = fake_scan_close,
	};
	err = (struct pep_error){0};
	if (storage_open(&context, &config, &storage, &err) != PEP_OK)
		assert_null(storage);
	return storage;
}

static void failing_to_open_leaves_nothing(void **state)
{
	(void)state;
	stub_load_fails = true;
	assert_null(open_fake(0));
	assert_string_equal(err.message, "c.yaml:3:5: plugin \"fake\" is refused");
	stub_load_fails = false;
	stub_options_fail = true;
	assert_null(open_fake(0));
	assert_string_equal(err.message, "c.yaml:1:1: options are refused");
	stub_options_fail = false;
	fake.status = PEP_UNAVAILABLE;
	assert_null(open_fake(0));
	assert_string_equal(err.message, "fake says no");
	assert_int_equal(err.native, 5);
	assert_int_equal(fake.opened, 0);
	assert_int_equal(fake.closed, 0);
}

static void calls_go_through(void **state)
{
	struct storage *storage = open_fake(PEP_THREADS_PARALLEL);
	const struct pep_identity id = {.struct_size = sizeof(id), .serial = "S"};

	(void)state;
	assert_non_null(storage);
	assert_string_equal(storage_name(storage), "fake");
	assert_int_equal(storage_flags(storage), PEP_STORAGE_DURABLE);
	assert_int_equal(storage_ping(storage, &err), PEP_OK);
	assert_int_equal(storage_insert(storage, &id, &err), PEP_OK);
	fake.status = PEP_CONFLICT;
	assert_int_equal(storage_update(storage, &id, &err), PEP_CONFLICT);
	assert_string_equal(err.message, "fake says no");
	assert_int_equal(storage_update(storage, &id, NULL), PEP_CONFLICT);
	storage_close(storage);
	storage_close(NULL);
	assert_int_equal(fake.closed, 1);
}

static void strange_answers_are_settled(void **state)
{
	struct storage *storage = open_fake(PEP_THREADS_SERIAL);
	const struct pep_identity id = {.struct_size = sizeof(id), .serial = "S"};

	(void)state;
	fake.status = 99;
	fake.is_silent = true;
	assert_int_equal(storage_ping(storage, &err), PEP_INTERNAL);
	assert_non_null(strstr(err.message, "plugin \"db\" returned the unknown status 99"));
	assert_int_equal(storage_insert(storage, &id, &err), PEP_UNKNOWN); /* it may have been written */
	fake.status = -1;
	assert_int_equal(storage_update(storage, &id, &err), PEP_UNKNOWN);
	fake.status = PEP_UNAVAILABLE;
	err = (struct pep_error){0};
	assert_int_equal(storage_ping(storage, &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, "without saying why"));
	assert_int_equal(err.status, PEP_UNAVAILABLE);
	storage_close(storage);
}

static void get_copies_the_record(void **state)
{
	struct pep_identity record = {.struct_size = sizeof(record), .serial = "S", .revision = 3, .owner = "o"};
	struct storage *storage = open_fake(PEP_THREADS_SERIAL);
	const struct pep_identity *id = NULL;
	struct arena arena = {0};

	(void)state;
	fake.record = &record;
	assert_int_equal(storage_get(storage, &arena, "S", &id, &err), PEP_OK);
	assert_int_equal(id->revision, 3);
	assert_string_equal(id->owner, "o");
	assert_ptr_not_equal(id->owner, record.owner);
	assert_int_equal(storage_get(storage, &arena, "other", &id, &err), PEP_INTERNAL);
	assert_non_null(strstr(err.message, "another serial"));
	fake.record = NULL;
	assert_int_equal(storage_get(storage, &arena, "S", &id, &err), PEP_OK);
	assert_null(id);
	fake.status = PEP_TIMEOUT;
	assert_int_equal(storage_get(storage, &arena, "S", &id, &err), PEP_TIMEOUT);
	assert_int_equal(fake.scans, 0);
	arena_fini(&arena);
	storage_close(storage);
}

/* A plugin of an older release has shorter records, one of a newer release longer ones. */
static void records_are_widened(void **state)
{
	struct {
		struct pep_identity known;
		const char *unheard_of;
	} newer = {.known = {.struct_size = sizeof(newer), .serial = "N"}, .unheard_of = "?"};
	const uint32_t damaged_size = 64; /* so short that gcc would not let us write it as a record */
	const char *const damaged_serial = "D";
	char *damaged = calloc(1, damaged_size);
	struct storage *storage = open_fake(PEP_THREADS_SERIAL);
	const struct pep_identity *id = NULL;
	struct arena arena = {0};

	(void)state;
	assert_non_null(damaged);
	fake.record = &newer.known;
	assert_int_equal(storage_get(storage, &arena, "N", &id, &err), PEP_OK);
	assert_int_equal(id->struct_size, sizeof(*id));
	memcpy(damaged + offsetof(struct pep_identity, struct_size), &damaged_size, sizeof(damaged_size));
	memcpy(damaged + offsetof(struct pep_identity, serial), &damaged_serial, sizeof(const char *));
	fake.record = (const struct pep_identity *)(const void *)damaged;
	assert_int_equal(storage_get(storage, &arena, "D", &id, &err), PEP_INTERNAL);
	assert_non_null(strstr(err.message, "damaged record"));
	free(damaged);
	arena_fini(&arena);
	storage_close(storage);
}

static void scans_walk_to_the_end(void **state)
{
	struct pep_identity record = {.struct_size = sizeof(record), .serial = "S"};
	const struct pep_scan_query query = {.struct_size = sizeof(query)};
	struct storage *storage = open_fake(PEP_THREADS_SERIAL);
	const struct pep_identity *id = NULL;
	struct storage_scan *scan = NULL;

	(void)state;
	fake.record = &record;
	assert_int_equal(storage_scan_open(storage, &query, &scan, &err), PEP_OK);
	assert_int_equal(storage_scan_next(scan, &id, &err), PEP_OK);
	assert_string_equal(id->serial, "S");
	assert_int_equal(storage_scan_next(scan, &id, &err), PEP_OK);
	assert_null(id);
	storage_scan_close(scan);
	storage_scan_close(NULL);
	assert_int_equal(fake.scans, 0);
	fake.status = PEP_UNAVAILABLE;
	scan = NULL;
	assert_int_equal(storage_scan_open(storage, &query, &scan, &err), PEP_UNAVAILABLE);
	assert_null(scan);
	storage_close(storage);
}

static void the_clock_is_the_stores_if_it_has_one(void **state)
{
	struct storage *storage = open_fake(PEP_THREADS_SERIAL);
	int64_t ms = 0;

	(void)state;
	assert_int_equal(storage_now(storage, &ms, &err), PEP_OK);
	assert_true(ms > 1600000000000);
	stub_library.ops.storage.now = fake_now;
	assert_int_equal(storage_now(storage, &ms, &err), PEP_OK);
	assert_int_equal(ms, 42);
	storage_close(storage);
}

static void *ping_often(void *argument)
{
	for (int i = 0; i < 2000; i++)
		assert_int_equal(storage_ping(argument, NULL), PEP_OK);
	return NULL;
}

static void a_serial_plugin_gets_one_call_at_a_time(void **state)
{
	struct storage *storage = open_fake(PEP_THREADS_SERIAL);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ping_often, storage), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&fake.pings), 4 * 2000);
	storage_close(storage);
}

static int begin(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	stub_library = (struct library){0};
	stub_load_fails = stub_options_fail = false;
	return 0;
}

static int end(void **state)
{
	(void)state;
	return stub_options_open;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(failing_to_open_leaves_nothing, begin, end),
		cmocka_unit_test_setup_teardown(calls_go_through, begin, end),
		cmocka_unit_test_setup_teardown(strange_answers_are_settled, begin, end),
		cmocka_unit_test_setup_teardown(get_copies_the_record, begin, end),
		cmocka_unit_test_setup_teardown(records_are_widened, begin, end),
		cmocka_unit_test_setup_teardown(scans_walk_to_the_end, begin, end),
		cmocka_unit_test_setup_teardown(the_clock_is_the_stores_if_it_has_one, begin, end),
		cmocka_unit_test_setup_teardown(a_serial_plugin_gets_one_call_at_a_time, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
