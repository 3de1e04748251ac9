/* SPDX-License-Identifier: Apache-2.0 */
#include "exporter_suite.h"

#include "exporter_driver.h"
#include "plugin_table.h"
#include "poison.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY_RECORDS 100000u
#define THREAD_COUNT 16u
#define RECORDS_OF_A_THREAD 200u

/* Bytes that are allocated now, by whichever allocator there is. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated_bytes(void)
{
	struct mallinfo2 info;

	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void table_is_complete(void **state)
{
	const struct driver *driver = *state;

	assert_true(driver->ops->struct_size >= sizeof(*driver->ops));
	assert_in_range(driver->ops->threads, PEP_THREADS_SERIAL, PEP_THREADS_PARALLEL);
	assert_non_null(driver->ops->record);
	assert_non_null(driver->ops->media_type);
	assert_non_null(strchr(driver->ops->media_type, '/'));
	assert_non_null(driver->ops->suffix);
	assert_int_equal(strspn(driver->ops->suffix, "abcdefghijklmnopqrstuvwxyz0123456789"), strlen(driver->ops->suffix));
	assert_true(!driver->ops->open == !driver->ops->close);
}

static char *read_file(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(1 << 20);

	if (!file)
		fail_msg("cannot open %s", path);
	assert_non_null(text);
	*ret_size = fread(text, 1, (1 << 20) - 1, file);
	text[*ret_size] = '\0';
	assert_int_equal(fclose(file), 0);
	return text;
}

static void bytes_are_golden(void **state)
{
	struct driver *driver = *state;
	struct output output = {.room = 1 << 20};
	size_t size;
	char *expected = read_file(driver->facts->golden_file, &size);

	assert_int_equal(driver_export(driver, &output, driver->facts->golden, driver->facts->golden_count), PEP_OK);
	output_terminate(&output);
	assert_string_equal(output.text, expected);
	assert_int_equal(output.size, size);
	output_free(&output);
	free(expected);
}

static void no_record_is_whole(void **state)
{
	struct driver *driver = *state;
	struct output output = {.room = 4096};

	assert_int_equal(driver_export(driver, &output, NULL, 0), PEP_OK);
	output_terminate(&output);
	assert_true(driver->facts->is_whole(output.text, output.size, 0));
	output_free(&output);
}

static void two_instances_do_not_meddle(void **state)
{
	struct driver *one = *state;
	struct driver two;
	struct output alone = {.room = 1 << 20};
	struct output outputs[2] = {{.room = 1 << 20}, {.room = 1 << 20}};
	struct driver_run runs[2];

	driver_open(&two, one->facts);
	assert_int_equal(driver_export(one, &alone, one->facts->golden, one->facts->golden_count), PEP_OK);
	assert_int_equal(driver_begin(one, &outputs[0], &runs[0]), PEP_OK);
	assert_int_equal(driver_begin(&two, &outputs[1], &runs[1]), PEP_OK);
	for (size_t i = 0; i < one->facts->golden_count; i++)
		for (size_t j = 0; j < 2; j++)
			assert_int_equal(driver_record(&runs[j], one->facts->golden[i]), PEP_OK);
	for (size_t j = 0; j < 2; j++) {
		assert_int_equal(driver_end(&runs[j]), PEP_OK);
		driver_drop(&runs[j]);
		assert_int_equal(outputs[j].size, alone.size);
		assert_memory_equal(outputs[j].text, alone.text, alone.size);
		output_free(&outputs[j]);
	}
	driver_close(&two);
	output_free(&alone);
}

/* With the first instance gone, a run of another still works. */
static void instances_end_alone(void **state)
{
	struct driver *driver = *state;
	struct driver other;
	struct output output = {.room = 1 << 20};

	driver_open(&other, driver->facts);
	driver_close(&other);
	assert_int_equal(driver_export(driver, &output, driver->facts->golden, driver->facts->golden_count), PEP_OK);
	output_free(&output);
}

/* The reader goes away at each write in turn: that status comes back, and nothing is written after it. */
static void reader_leaves(void **state)
{
	static const pep_status statuses[] = {PEP_CANCELLED, PEP_LIMIT};
	struct driver *driver = *state;
	struct output whole = {.room = 1 << 20};

	assert_int_equal(driver_export(driver, &whole, driver->facts->golden, driver->facts->golden_count), PEP_OK);
	assert_true(whole.writes > 0);
	for (size_t i = 0; i < 2; i++) {
		for (unsigned at = 1; at <= whole.writes; at++) {
			struct output output = {.room = 1 << 20, .refuse_at = at, .refusal = statuses[i]};

			assert_int_equal(driver_export(driver, &output, driver->facts->golden, driver->facts->golden_count),
					 statuses[i]);
			assert_int_equal(output.writes, at);
			output_free(&output);
		}
	}
	output_free(&whole);
}

static void run_may_be_dropped(void **state)
{
	struct driver *driver = *state;
	struct output output = {.room = 1 << 20};
	struct driver_run run;

	assert_int_equal(driver_begin(driver, &output, &run), PEP_OK);
	driver_drop(&run);
	assert_int_equal(driver_begin(driver, &output, &run), PEP_OK);
	assert_int_equal(driver_record(&run, driver->facts->golden[0]), PEP_OK);
	driver_drop(&run);
	output_free(&output);
}

/* Every text absent but the serial, which a record always has; every text empty. */
static void absent_and_empty(void **state)
{
	struct driver *driver = *state;
	struct pep_identity absent = {.struct_size = sizeof(absent), .state = PEP_CLAIMED, .revision = 1, .serial = "S"};
	struct pep_identity empty;
	const struct pep_identity *records[] = {&absent, &empty};
	struct output output = {.room = 1 << 20};

	poison_fill(&empty, "");
	assert_int_equal(driver_export(driver, &output, records, 2), PEP_OK);
	output_terminate(&output);
	assert_true(driver->facts->is_whole(output.text, output.size, 2));
	output_free(&output);
}

/* Texts that no door would let in, but that an old store may hold. */
static void hostile_text(void **state)
{
	static const char *const texts[] = {
		"\"",
		"\"\"\"",
		"\\",
		"\\u0000",
		",",
		"\n",
		"\r\n",
		"\t",
		"\x01\x1f\x7f",
		"=1+1",
		"@x",
		"]}",
		"\"},{\"a\":\"",
		"\"\n\"x",
		"\xc2\xa0",
		"\xff",
		"\xc3",
		"\xc3(",
		"\xed\xa0\x80",
		"\xe2\x82",
		"\xf0\x9f",
		"\xf0\x9f\x98\x80",
		"\xf4\x90\x80\x80",
		"\xc0\x80",
		"\xe2\x80\xa8",
		"%s%n%d",
		"1,2,,3",
		"0,1,256",
		"01,2",
		"<script>",
	};
	struct driver *driver = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct output output = {.room = 1 << 20};
		struct pep_identity id;
		const struct pep_identity *records[] = {&id, &id};

		poison_fill(&id, texts[i]);
		assert_int_equal(driver_export(driver, &output, records, 2), PEP_OK);
		output_terminate(&output);
		if (!driver->facts->is_whole(output.text, output.size, 2))
			fail_msg("text %zu makes no whole file: %s", i, output.text);
		output_free(&output);
	}
}

/* Longer and longer texts: as long as the output fits into the room it is whole, then PEP_LIMIT; never anything else. */
static void long_text(void **state)
{
	struct driver *driver = *state;
	char *text = malloc(2 * (size_t)PEP_SINK_ROOM);
	bool was_over = false;

	assert_non_null(text);
	for (size_t size = 1000; size < 2 * (size_t)PEP_SINK_ROOM; size += 997) {
		struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_DEPLOYED, .serial = text};
		const struct pep_identity *records[] = {&id};
		struct output output = {.room = 1 << 20};
		pep_status status;

		memset(text, size % 2 ? '"' : 'x', size);
		text[size] = '\0';
		status = driver_export(driver, &output, records, 1);
		output_terminate(&output);
		assert_true(status == PEP_LIMIT || (status == PEP_OK && driver->facts->is_whole(output.text, output.size, 1)));
		if (size > PEP_SINK_ROOM)
			assert_int_equal(status, PEP_LIMIT);
		was_over = was_over || status == PEP_LIMIT;
		output_free(&output);
	}
	assert_true(was_over);
	free(text);
}

static void memory_is_flat(void **state)
{
	struct driver *driver = *state;
	struct output output = {.forget = true};
	struct driver_run run;
	size_t before = 0;

	assert_int_equal(driver_begin(driver, &output, &run), PEP_OK);
	for (unsigned i = 0; i < MANY_RECORDS; i++) {
		if (i == 100)
			before = allocated_bytes();
		assert_int_equal(driver_record(&run, driver->facts->golden[i % driver->facts->golden_count]), PEP_OK);
	}
	assert_in_range(allocated_bytes(), 0, before + 4096);
	assert_int_equal(driver_end(&run), PEP_OK);
	driver_drop(&run);
}

struct worker {
	pthread_t thread;
	struct driver *driver;
	struct output output;
	pep_status status;
};

static void *export_in_thread(void *data)
{
	struct worker *worker = data;
	const struct exporter_facts *facts = worker->driver->facts;
	struct driver_run run;

	worker->status = driver_begin(worker->driver, &worker->output, &run);
	if (worker->status != PEP_OK)
		return NULL;
	for (unsigned i = 0; i < RECORDS_OF_A_THREAD && worker->status == PEP_OK; i++)
		worker->status = driver_record(&run, facts->golden[i % facts->golden_count]);
	if (worker->status == PEP_OK)
		worker->status = driver_end(&run);
	driver_drop(&run);
	return NULL;
}

/* Many runs of one instance; the driver lets only one call at a time into a plugin that asks for it. */
static void many_threads(void **state)
{
	static struct worker workers[THREAD_COUNT];

	for (size_t i = 0; i < THREAD_COUNT; i++) {
		workers[i] = (struct worker){.driver = *state, .output = {.room = 1 << 20}};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, export_in_thread, &workers[i]), 0);
	}
	for (size_t i = 0; i < THREAD_COUNT; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	for (size_t i = 0; i < THREAD_COUNT; i++) {
		assert_int_equal(workers[i].status, PEP_OK);
		assert_int_equal(workers[i].output.size, workers[0].output.size);
		assert_memory_equal(workers[i].output.text, workers[0].output.text, workers[0].output.size);
	}
	for (size_t i = 0; i < THREAD_COUNT; i++)
		output_free(&workers[i].output);
}

static int open_driver(void **state)
{
	struct driver *driver = malloc(sizeof(*driver));

	if (!driver)
		return -1;
	driver_open(driver, *state);
	*state = driver;
	return 0;
}

static int close_driver(void **state)
{
	driver_close(*state);
	free(*state);
	return 0;
}

#define SUITE_TEST(function) cmocka_unit_test_prestate_setup_teardown(function, open_driver, close_driver, state)

int exporter_suite_run(const struct exporter_facts *facts)
{
	void *state = (void *)facts; /* cmocka's state is not const */
	const struct CMUnitTest tests[] = {
		SUITE_TEST(table_is_complete),   SUITE_TEST(bytes_are_golden),
		SUITE_TEST(no_record_is_whole),  SUITE_TEST(two_instances_do_not_meddle),
		SUITE_TEST(instances_end_alone), SUITE_TEST(reader_leaves),
		SUITE_TEST(run_may_be_dropped),  SUITE_TEST(absent_and_empty),
		SUITE_TEST(hostile_text),        SUITE_TEST(long_text),
		SUITE_TEST(memory_is_flat),      SUITE_TEST(many_threads),
	};

	return cmocka_run_group_tests_name(facts->file, tests, NULL, NULL);
}
