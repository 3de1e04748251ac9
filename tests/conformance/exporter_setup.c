/* SPDX-License-Identifier: Apache-2.0 */
#include "exporter_setup.h"

#include "format.h"

#include <string.h>

void setup_open(struct setup *setup, const struct exporter_facts *facts)
{
	*setup = (struct setup){0};
	driver_open(&setup->driver, facts);
	for (size_t i = 0; i < GOLDEN_RECORD_COUNT; i++) {
		struct output output = {0};
		pep_status status;

		suite_input_record(golden_records[i]);
		status = driver_export(&setup->driver, &output, &golden_records[i], 1);
		suite_expect(status == PEP_OK || status == PEP_INVALID, "a record in good order was refused with status %d: %s",
			     (int)status, output.err.message);
		if (status == PEP_OK)
			setup->records[setup->count++] = golden_records[i];
		output_free(&output);
	}
	suite_input_record(golden_records[0]);
	suite_expect(setup->count > 0, "every record was refused, that of a deployed gateway, too");
	suite_input("the suite's own records, %zu of them", setup->count);
}

void setup_close(struct setup *setup)
{
	driver_close(&setup->driver);
}

void setup_export(struct setup *setup, struct output *output)
{
	pep_status status = driver_export(&setup->driver, output, setup->records, setup->count);

	if (output->text)
		suite_bytes(output->text, output->size);
	suite_expect(status == PEP_OK, "status %d: %s", (int)status, output->err.message);
}

/* How many lines, rows or elements a file without records has. */
static long count_of_header(struct setup *setup, format_reader *read)
{
	struct output output = {0};
	long count = 0;
	const char *why;

	suite_expect(driver_export(&setup->driver, &output, NULL, 0) == PEP_OK, "a file without records failed: %s",
		     output.err.message);
	why = read(output.text, output.size, &count);
	suite_bytes(output.text, output.size);
	suite_expect(!why, "a file without records is broken: %s", why);
	output_free(&output);
	return count;
}

void setup_must_be_whole(struct setup *setup, const struct output *output, size_t count)
{
	format_reader *read = format_find(setup->driver.media_type);
	long header, found = 0;
	const char *why;

	if (!read)
		return;
	header = count_of_header(setup, read);
	suite_bytes(output->text, output->size);
	why = read(output->text, output->size, &found);
	suite_expect(!why, "a strict reader of %s says: %s", setup->driver.media_type, why);
	suite_expect(header < 0 || found < 0 || found - header == (long)count, "%zu records became %ld", count, found - header);
}

bool setup_is_repeatable(struct setup *setup)
{
	struct output outputs[2] = {{.lend = true}, {.lend = true}}; /* what a plugin that keeps them writes is not its own */
	bool same;

	setup_export(setup, &outputs[0]);
	setup_export(setup, &outputs[1]);
	same = outputs[0].size == outputs[1].size && memcmp(outputs[0].text, outputs[1].text, outputs[0].size) == 0;
	output_free(&outputs[0]);
	output_free(&outputs[1]);
	return same;
}
