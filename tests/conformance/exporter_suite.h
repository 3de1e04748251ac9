/* SPDX-License-Identifier: Apache-2.0
 *
 * exporter_suite.h - what every exporter must do, tested through its table alone.
 */
#ifndef CONFORMANCE_EXPORTER_SUITE_H
#define CONFORMANCE_EXPORTER_SUITE_H

#include <pep/exporter.h>

/* What the table of an exporter does not say. */
struct exporter_facts {
	const char *file;                         /* the built plugin */
	const union pep_value *values;            /* answers to its options; NULL: it has none */
	const char *profile;                      /* the format of the runs; NULL: the exporter's own choice, or it has none */
	const struct pep_identity *const *golden; /* records ... */
	size_t golden_count;
	const char *golden_file; /* ... and what a file of them looks like, byte for byte */
	/* Is this a whole file in the plugin's format, of `count` records? The text is NUL-terminated. */
	bool (*is_whole)(const char *text, size_t size, size_t count);
};

/* Runs the suite as a cmocka group; returns how many tests failed. */
int exporter_suite_run(const struct exporter_facts *facts);

#endif
