/* SPDX-License-Identifier: Apache-2.0
 *
 * The exporter suite where it hurts: hostile text, long text, little memory, many records, many threads.
 */
#include "exporter_setup.h"
#include "poison.h"
#include "scarcity.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY_RECORDS 100000u /* a sanitizer makes each ten times as slow */
#else
#define MANY_RECORDS 1000000u
#endif
#define THREAD_COUNT 16u
#define RECORDS_OF_A_THREAD 200u
#define ROUNDS 200u
#define SLACK 16384u /* bytes that an allocator may keep for itself */

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

/* Whole, or refused as a record may be. */
static void must_be_whole_or_refused(struct setup *setup, const struct pep_identity *id)
{
	const struct pep_identity *records[] = {id, id};
	struct output output = {.hostile = true};
	pep_status status;

	suite_input_record(id);
	status = driver_export(&setup->driver, &output, records, 2);
	suite_bytes(output.text, output.size);
	suite_expect(status == PEP_OK || status == PEP_INVALID, "status %d: %s; a record is written, or refused with PEP_INVALID",
		     (int)status, output.err.message);
	if (status == PEP_OK)
		setup_must_be_whole(setup, &output, 2);
	output_free(&output);
}

static void absent_and_empty(void *ctx)
{
	struct pep_identity absent = {.struct_size = sizeof(absent), .revision = 1, .serial = "S"};
	struct pep_identity empty;
	struct setup setup;

	setup_open(&setup, ctx);
	poison_fill(&empty, "");
	for (uint32_t state = PEP_CLAIMED; state <= PEP_RETIRED; state++) {
		absent.state = state;
		empty.state = state;
		must_be_whole_or_refused(&setup, &absent);
		must_be_whole_or_refused(&setup, &empty);
	}
	setup_close(&setup);
}

/* Texts that no door would let in, but that an old store may hold. */
static void hostile_text(void *ctx)
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
	struct setup setup;

	setup_open(&setup, ctx);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pep_identity all, some = *setup.records[0];

		poison_fill(&all, texts[i]);
		must_be_whole_or_refused(&setup, &all);
		some.category = texts[i];
		some.hardware_version = texts[i];
		must_be_whole_or_refused(&setup, &some);
		some.serial = texts[i];
		must_be_whole_or_refused(&setup, &some);
	}
	setup_close(&setup);
}

/* Longer and longer texts: whole as long as they fit, then a refusal; never anything between. */
static void long_text(void *ctx)
{
	char *text = malloc(2 * (size_t)PEP_SINK_ROOM);
	struct setup setup;

	suite_expect(text, "the suite itself is out of memory");
	setup_open(&setup, ctx);
	for (size_t size = 100; size < 2 * (size_t)PEP_SINK_ROOM; size += size < 1000 ? 31 : 997) {
		struct pep_identity id = *setup.records[0];
		const struct pep_identity *records[] = {&id};
		struct output output = {0};
		pep_status status;

		memset(text, size % 2 ? '"' : 'x', size);
		text[size] = '\0';
		id.serial = text;
		suite_input("a serial of %zu times '%c'", size, *text);
		status = driver_export(&setup.driver, &output, records, 1);
		suite_bytes(output.text, output.size);
		suite_expect(status == PEP_OK || status == PEP_LIMIT || status == PEP_INVALID,
			     "status %d: %s; what is too long is PEP_LIMIT", (int)status, output.err.message);
		if (status == PEP_OK)
			setup_must_be_whole(&setup, &output, 1);
		output_free(&output);
	}
	setup_close(&setup);
	free(text);
}

static void memory_is_flat(void *ctx)
{
	struct setup setup;
	struct output output = {.forget = true, .lend = true};
	struct driver_run run;
	size_t before = 0, after;

	setup_open(&setup, ctx);
	suite_input("%u records in one run", MANY_RECORDS);
	suite_expect(driver_begin(&setup.driver, &output, &run) == PEP_OK, "begin() failed: %s", output.err.message);
	for (unsigned i = 0; i < MANY_RECORDS; i++) {
		if (i == 1000)
			before = allocated_bytes();
		suite_expect(driver_record(&run, setup.records[i % setup.count]) == PEP_OK, "record() %u failed: %s", i,
			     output.err.message);
	}
	after = allocated_bytes();
	suite_expect(after < before + SLACK, "%zu bytes more than after 1000 records", after - before);
	suite_expect(driver_end(&run) == PEP_OK, "end() failed: %s", output.err.message);
	driver_drop(&run);
	setup_close(&setup);
}

static void open_and_close(const struct exporter_facts *facts, const struct setup *setup)
{
	struct driver driver;
	struct output output = {.forget = true};

	driver_open(&driver, facts);
	suite_expect(driver_export(&driver, &output, setup->records, setup->count) == PEP_OK, "%s", output.err.message);
	driver_close(&driver);
}

static void nothing_is_left(void *ctx)
{
	struct setup setup;
	size_t before, after;

	setup_open(&setup, ctx);
	setup_close(&setup);
	for (unsigned i = 0; i < 10; i++)
		open_and_close(ctx, &setup);
	before = allocated_bytes();
	suite_input("%u times open, begin, records, end, drop, close", ROUNDS);
	for (unsigned i = 0; i < ROUNDS; i++)
		open_and_close(ctx, &setup);
	after = allocated_bytes();
	suite_expect(after < before + (size_t)ROUNDS * 8, "%zu bytes were not freed, about %zu each time", after - before,
		     (after - before) / ROUNDS);
}

/* As long as the n-th allocation is reached: the export fails and says so, or comes to the same bytes without it. */
static bool export_in_scarcity(const struct exporter_facts *facts, const struct setup *plenty, const struct output *whole,
			       unsigned n)
{
	struct driver driver;
	struct output output = {0};
	struct pep_error err;
	bool was_reached;
	pep_status status;

	scarcity_set(n);
	status = driver_try_open(&driver, facts, &err);
	if (status != PEP_OK) {
		suite_expect(scarcity_reached(), "open() failed with memory enough: %s", err.message);
		scarcity_set(0);
		return true;
	}
	status = driver_export(&driver, &output, plenty->records, plenty->count);
	driver_close(&driver);
	was_reached = scarcity_reached();
	scarcity_set(0);
	if (output.text)
		suite_bytes(output.text, output.size);
	if (status == PEP_OK)
		suite_expect(output.size == whole->size, "the export is called done, with %zu of %zu bytes", output.size,
			     whole->size);
	else
		suite_expect(was_reached, "the export failed with memory enough: %s", output.err.message);
	output_free(&output);
	return was_reached;
}

static void memory_runs_out(void *ctx)
{
	struct setup plenty;
	struct output whole = {0};
	unsigned n = 1;

	if (!scarcity_works())
		suite_skip("this pep-plugin-check was built with a sanitizer, which has an allocator of its own");
	setup_open(&plenty, ctx);
	setup_export(&plenty, &whole);
	do
		suite_input("malloc() number %u of the export returns NULL", n);
	while (export_in_scarcity(ctx, &plenty, &whole, n++) && n < 5000);
	output_free(&whole);
	setup_close(&plenty);
}

struct worker {
	pthread_t thread;
	struct setup *setup;
	struct output output;
	pep_status status;
};

static void *export_in_thread(void *data)
{
	struct worker *worker = data;
	struct setup *setup = worker->setup;
	struct driver_run run;

	worker->status = driver_begin(&setup->driver, &worker->output, &run);
	if (worker->status != PEP_OK)
		return NULL;
	for (unsigned i = 0; i < RECORDS_OF_A_THREAD && worker->status == PEP_OK; i++)
		worker->status = driver_record(&run, setup->records[i % setup->count]);
	if (worker->status == PEP_OK)
		worker->status = driver_end(&run);
	driver_drop(&run);
	return NULL;
}

/* Many runs of one instance; the driver lets only one call at a time into a plugin that asks for it. */
static void many_threads(void *ctx)
{
	struct worker *workers = calloc(THREAD_COUNT, sizeof(*workers));
	struct setup setup;
	bool is_repeatable;

	suite_expect(workers, "the suite itself is out of memory");
	setup_open(&setup, ctx);
	is_repeatable = setup_is_repeatable(&setup);
	suite_input("%u threads, each a run of %u records", THREAD_COUNT, RECORDS_OF_A_THREAD);
	for (size_t i = 0; i < THREAD_COUNT; i++) {
		workers[i].setup = &setup;
		suite_expect(pthread_create(&workers[i].thread, NULL, export_in_thread, &workers[i]) == 0, "no thread");
	}
	for (size_t i = 0; i < THREAD_COUNT; i++)
		suite_expect(pthread_join(workers[i].thread, NULL) == 0, "a thread cannot be joined");
	for (size_t i = 0; i < THREAD_COUNT; i++) {
		suite_expect(workers[i].status == PEP_OK, "status %d: %s", (int)workers[i].status, workers[i].output.err.message);
		suite_bytes(workers[i].output.text, workers[i].output.size);
		suite_expect(!is_repeatable ||
				     (workers[i].output.size == workers[0].output.size &&
				      memcmp(workers[i].output.text, workers[0].output.text, workers[0].output.size) == 0),
			     "the threads wrote different bytes");
	}
	for (size_t i = 0; i < THREAD_COUNT; i++)
		output_free(&workers[i].output);
	free(workers);
	setup_close(&setup);
}

const struct suite_case exporter_hard_cases[] = {
	{"absent_and_empty", "every text but the serial may be absent or empty, in every state", absent_and_empty},
	{"hostile_text", "whatever a text holds, the file is whole, or the record is refused with PEP_INVALID", hostile_text},
	{"long_text", "what does not fit into the sink is PEP_LIMIT, never a cut line", long_text},
	{"memory_is_flat", "a run needs the same memory for any number of records", memory_is_flat},
	{"nothing_is_left", "drop() and close() give back all that was taken", nothing_is_left},
	{"memory_runs_out", "malloc() may fail anywhere: say so with a status, or do without", memory_runs_out},
	{"many_threads", "PEP_THREADS_PARALLEL: runs are independent on any threads; else one call at a time", many_threads},
	{NULL, NULL, NULL},
};
