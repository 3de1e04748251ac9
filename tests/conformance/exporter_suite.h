/* SPDX-License-Identifier: Apache-2.0
 *
 * exporter_suite.h - what every exporter must do, tested through its table alone.
 */
#ifndef CONFORMANCE_EXPORTER_SUITE_H
#define CONFORMANCE_EXPORTER_SUITE_H

#include "runner.h"

#include <pep/exporter.h>

/* What the table of an exporter does not say. */
struct exporter_facts {
	const struct pep_exporter_ops *ops; /* functions that it lacks are NULL */
	const union pep_value *values;      /* answers to its options; NULL: it has none */
	const char *profile;                /* the format of the runs; NULL: the exporter's own choice, or it has none */
	const char *expected_file;          /* what it makes of golden_records, byte for byte; NULL: nobody says */
};

/* The cases; their ctx is a const struct exporter_facts *. */
extern const struct suite_case exporter_cases[];      /* what it does */
extern const struct suite_case exporter_hard_cases[]; /* hostile text, little memory, many records, many threads */

#endif
