/* SPDX-License-Identifier: Apache-2.0
 *
 * suites.h - runs what fits a plugin: its file, its description, and the suite of its kind.
 */
#ifndef PLUGIN_CHECK_SUITES_H
#define PLUGIN_CHECK_SUITES_H

#include "subject.h"
#include "tests/conformance/runner.h"

struct suites_wish {
	const char *profile;       /* of an exporter; NULL: each of them */
	const char *expected_file; /* what an exporter makes of the suite's records; NULL: not looked at */
	const char *gateway;       /* ADDRESS:PORT that an injector may inject into; NULL: there is none */
	const char *serial;        /* how the serials of such gateways begin */
	const char *only;          /* a pattern of case names; NULL: all */
	bool is_static;            /* look at the file and its description, open nothing */
};

/* Prints a line for each case, and how many passed. [main thread] */
void suites_run(const char *path, struct subject *subject, const struct suites_wish *wish, struct suite_result *ret_result);

#endif
