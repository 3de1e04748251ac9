/* SPDX-License-Identifier: Apache-2.0 */
#include "exporter_suite.h"

#include "exporter_setup.h"

#include <stdlib.h>
#include <string.h>

static void table_is_complete(void *ctx)
{
	const struct pep_exporter_ops *ops = ((const struct exporter_facts *)ctx)->ops;

	suite_expect(ops->record || (!ops->begin && !ops->begin_profile && !ops->end && !ops->rest),
		     "there is begin(), end() or rest(), but no record()");
	if (!ops->record)
		return;
	suite_expect(strchr(ops->media_type, '/'), "media_type \"%s\" has no slash", ops->media_type);
	suite_expect(ops->suffix[strspn(ops->suffix, "abcdefghijklmnopqrstuvwxyz0123456789.")] == '\0',
		     "suffix \"%s\" has other than lower-case letters, digits and dots", ops->suffix);
	suite_expect(!ops->open == !ops->close, "there is open() or close(), but not both");
	suite_expect(!ops->drop || ops->begin || ops->begin_profile, "there is drop(), but no begin()");
}

static void writes_a_whole_file(void *ctx)
{
	struct setup setup;
	struct output output = {0};

	setup_open(&setup, ctx);
	setup_export(&setup, &output);
	suite_expect(output.size > 0, "nothing was written");
	setup_must_be_whole(&setup, &output, setup.count);
	output_free(&output);
	setup_close(&setup);
}

static char *read_file(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(1 << 20);

	suite_expect(file, "cannot open %s", path);
	suite_expect(text, "the suite itself is out of memory");
	*ret_size = fread(text, 1, 1 << 20, file);
	suite_expect(fclose(file) == 0, "cannot read %s", path);
	return text;
}

static void bytes_are_as_expected(void *ctx)
{
	const struct exporter_facts *facts = ctx;
	struct setup setup;
	struct output output = {0};
	size_t size, same = 0;
	char *expected;

	if (!facts->expected_file)
		suite_skip("--expect FILE says what the bytes should be");
	expected = read_file(facts->expected_file, &size);
	setup_open(&setup, ctx);
	setup_export(&setup, &output);
	while (same < size && same < output.size && expected[same] == output.text[same])
		same++;
	suite_bytes(output.text, same + 32 < output.size ? same + 32 : output.size);
	suite_expect(same == size && same == output.size, "%zu bytes, expected are %zu; byte %zu is the first that differs from %s",
		     output.size, size, same, facts->expected_file);
	output_free(&output);
	free(expected);
	setup_close(&setup);
}

static void no_record_is_whole(void *ctx)
{
	struct setup setup;
	struct output output = {0};
	pep_status status;

	setup_open(&setup, ctx);
	suite_input("no records");
	status = driver_export(&setup.driver, &output, NULL, 0);
	suite_expect(status == PEP_OK, "status %d: %s", (int)status, output.err.message);
	setup_must_be_whole(&setup, &output, 0);
	output_free(&output);
	setup_close(&setup);
}

/* One that keeps what it was lent writes other bytes when that is overwritten, or touches freed memory. */
static void nothing_borrowed_is_kept(void *ctx)
{
	struct setup setup;
	struct output lent = {.lend = true}, poisoned = {0};

	setup_open(&setup, ctx);
	if (!setup_is_repeatable(&setup))
		suite_skip("two files of the same records differ");
	setup_export(&setup, &lent);
	setup_export(&setup, &poisoned);
	suite_expect(lent.size == poisoned.size && memcmp(lent.text, poisoned.text, lent.size) == 0,
		     "the bytes are others when a record is overwritten after record() returned");
	output_free(&lent);
	output_free(&poisoned);
	setup_close(&setup);
}

static void check_tells_what_record_does(void *ctx)
{
	const struct exporter_facts *facts = ctx;
	struct driver driver;

	if (!facts->ops->check)
		suite_skip("there is no check()");
	driver_open(&driver, facts);
	for (size_t i = 0; i < GOLDEN_RECORD_COUNT; i++) {
		struct output output = {0};
		struct driver_run run;
		pep_status checked, recorded;

		suite_input_record(golden_records[i]);
		suite_expect(driver_begin(&driver, &output, &run) == PEP_OK, "begin() failed: %s", output.err.message);
		checked = driver_check(&run, golden_records[i]);
		suite_expect(checked == PEP_OK || checked == PEP_INVALID || (checked == PEP_UNSUPPORTED && i == 0),
			     "check() returned %d: it is PEP_OK, PEP_INVALID, or at the first record PEP_UNSUPPORTED",
			     (int)checked);
		suite_expect(checked != PEP_INVALID || strstr(output.err.message, golden_records[i]->serial),
			     "the message does not name the serial: %s", output.err.message);
		recorded = driver_record(&run, golden_records[i]);
		suite_expect(checked == PEP_UNSUPPORTED || checked == recorded, "check() says %d, record() %d", (int)checked,
			     (int)recorded);
		driver_drop(&run);
		output_free(&output);
		if (checked == PEP_UNSUPPORTED)
			break;
	}
	driver_close(&driver);
}

static void must_match(const struct output *output, const struct output *alone, const char *what)
{
	suite_bytes(output->text, output->size);
	suite_expect(output->size == alone->size && memcmp(output->text, alone->text, alone->size) == 0, "%s wrote other bytes",
		     what);
}

/* Runs of two instances, or two runs of one, record by record in turn. */
static void interleave(struct setup *setup, struct driver *other, const char *what)
{
	struct driver *drivers[] = {&setup->driver, other};
	struct output alone = {0}, outputs[2] = {{0}, {0}};
	struct driver_run runs[2];

	setup_export(setup, &alone);
	for (size_t j = 0; j < 2; j++)
		suite_expect(driver_begin(drivers[j], &outputs[j], &runs[j]) == PEP_OK, "begin() failed: %s",
			     outputs[j].err.message);
	for (size_t i = 0; i < setup->count; i++)
		for (size_t j = 0; j < 2; j++)
			suite_expect(driver_record(&runs[j], setup->records[i]) == PEP_OK, "record() failed: %s",
				     outputs[j].err.message);
	for (size_t j = 0; j < 2; j++) {
		suite_expect(driver_end(&runs[j]) == PEP_OK, "end() failed: %s", outputs[j].err.message);
		driver_drop(&runs[j]);
	}
	for (size_t j = 0; j < 2; j++) {
		if (setup_is_repeatable(setup))
			must_match(&outputs[j], &alone, what);
		output_free(&outputs[j]);
	}
	output_free(&alone);
}

static void two_instances_do_not_meddle(void *ctx)
{
	struct setup setup;
	struct driver other;

	setup_open(&setup, ctx);
	driver_open(&other, ctx);
	interleave(&setup, &other, "one of two instances");
	driver_close(&other);
	setup_close(&setup);
}

static void two_runs_do_not_meddle(void *ctx)
{
	struct setup setup;

	setup_open(&setup, ctx);
	interleave(&setup, &setup.driver, "one of two runs of an instance");
	setup_close(&setup);
}

static void instances_end_alone(void *ctx)
{
	struct setup setup;
	struct driver other;
	struct output output = {0};

	driver_open(&other, ctx);
	setup_open(&setup, ctx);
	driver_close(&other);
	setup_export(&setup, &output);
	setup_must_be_whole(&setup, &output, setup.count);
	output_free(&output);
	setup_close(&setup);
}

/* That it is passed up, and nothing written after it, is seen by the driver. */
static void reader_leaves(void *ctx)
{
	static const pep_status statuses[] = {PEP_CANCELLED, PEP_LIMIT};
	struct setup setup;
	struct output whole = {0};

	setup_open(&setup, ctx);
	setup_export(&setup, &whole);
	for (size_t i = 0; i < 2; i++) {
		for (unsigned at = 1; at <= whole.writes; at++) {
			struct output output = {.refuse_at = at, .refusal = statuses[i]};

			suite_input("write() number %u of %u returns %d", at, whole.writes, (int)statuses[i]);
			suite_expect(driver_export(&setup.driver, &output, setup.records, setup.count) != PEP_OK || !output.refused,
				     "the export went on");
			output_free(&output);
		}
	}
	output_free(&whole);
	setup_close(&setup);
}

static void run_may_be_dropped(void *ctx)
{
	struct setup setup;

	setup_open(&setup, ctx);
	for (size_t stop = 0; stop <= setup.count; stop++) {
		struct output output = {0};
		struct driver_run run;

		suite_input("the run is dropped after %zu records, without end()", stop);
		suite_expect(driver_begin(&setup.driver, &output, &run) == PEP_OK, "begin() failed: %s", output.err.message);
		for (size_t i = 0; i < stop; i++)
			suite_expect(driver_record(&run, setup.records[i]) == PEP_OK, "record() failed: %s", output.err.message);
		driver_drop(&run);
		output_free(&output);
	}
	setup_close(&setup);
}

const struct suite_case exporter_cases[] = {
	{"table_is_complete", "media_type, suffix, and functions that belong together", table_is_complete},
	{"writes_a_whole_file", "records in good order become a file that a strict reader of its media type takes",
	 writes_a_whole_file},
	{"bytes_are_as_expected", "the suite's records become the bytes of --expect", bytes_are_as_expected},
	{"no_record_is_whole", "a file without records is whole, too", no_record_is_whole},
	{"nothing_borrowed_is_kept", "a record and its texts are borrowed for the call: copy what is needed later",
	 nothing_borrowed_is_kept},
	{"check_tells_what_record_does", "what check() accepts, record() writes; what it refuses is named by its serial",
	 check_tells_what_record_does},
	{"two_instances_do_not_meddle", "an exporter can be configured twice: nothing is shared by instances",
	 two_instances_do_not_meddle},
	{"two_runs_do_not_meddle", "two readers can be served at once: nothing is shared by runs", two_runs_do_not_meddle},
	{"instances_end_alone", "close() of one instance leaves the others alone", instances_end_alone},
	{"reader_leaves", "what write() returns is passed up at once, and nothing is written after it", reader_leaves},
	{"run_may_be_dropped", "drop() may come after any call, without end()", run_may_be_dropped},
	{NULL, NULL, NULL},
};
