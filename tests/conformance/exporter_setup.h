/* SPDX-License-Identifier: Apache-2.0
 *
 * exporter_setup.h - what the cases of the exporter suite begin with: an open instance, and the records that it takes.
 */
#ifndef CONFORMANCE_EXPORTER_SETUP_H
#define CONFORMANCE_EXPORTER_SETUP_H

#include "exporter_driver.h"
#include "golden_records.h"

struct setup {
	struct driver driver;
	const struct pep_identity *records[GOLDEN_RECORD_COUNT]; /* those of golden_records that are not refused */
	size_t count;
};

/* An exporter may refuse a record with PEP_INVALID, but not all of them; else the case fails. */
void setup_open(struct setup *setup, const struct exporter_facts *facts);
void setup_close(struct setup *setup);

/* Export all records of the setup, or fail. */
void setup_export(struct setup *setup, struct output *output);
/* Fails the case, and shows the output, if that is not a whole file of `count` records in the format that the media type names. */
void setup_must_be_whole(struct setup *setup, const struct output *output, size_t count);
/* Are two files of the same records the same? A time stamp in a header is allowed. */
bool setup_is_repeatable(struct setup *setup);

#endif
