/* SPDX-License-Identifier: Apache-2.0
 *
 * runner.h - runs the cases of a suite, each in a process of its own, and says of a failure: the rule, the input, the bytes.
 *
 * A case ends well by returning. A crash, a leak that a sanitizer finds and a wait without end are failures like any other, and the
 * next case does not notice them.
 */
#ifndef CONFORMANCE_RUNNER_H
#define CONFORMANCE_RUNNER_H

#include <pep/identity.h>

struct suite_case {
	const char *name; /* NULL ends a list */
	const char *rule; /* what must hold, in a sentence */
	void (*run)(void *ctx);
};

struct suite_result {
	unsigned passed, failed, skipped;
};

/* Run those of the cases whose name matches the pattern `only` (fnmatch(3); NULL: all), and print a line for each; more for a failure.
 * `group` is put before the names. [one thread, with no other threads under way] */
void suite_run(const char *group, const struct suite_case *cases, void *ctx, const char *only, struct suite_result *result);

/* What follows is for a running case, [any thread]. */

/* What is shown should the case fail from here on: the input that the plugin was given, ... */
__attribute__((format(printf, 1, 2))) void suite_input(const char *format, ...);
/* ... the same of a record, ... */
void suite_input_record(const struct pep_identity *id);
/* ... and the last bytes that it wrote. */
void suite_bytes(const void *bytes, size_t size);

__attribute__((format(printf, 1, 2))) _Noreturn void suite_fail(const char *format, ...);
/* suite_fail() unless `holds`. */
__attribute__((format(printf, 2, 3))) void suite_expect(bool holds, const char *format, ...);
/* The case does not apply, and why. */
__attribute__((format(printf, 1, 2))) _Noreturn void suite_skip(const char *format, ...);

#endif
