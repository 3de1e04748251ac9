/* SPDX-License-Identifier: Apache-2.0
 *
 * source.h - records without a server: made up, from a file, or the suite's own.
 */
#ifndef PLUGIN_CHECK_SOURCE_H
#define PLUGIN_CHECK_SOURCE_H

#include <pep/identity.h>

struct source;

/* `data`: "sample:N" for N made-up deployed gateways, the same in every run, or "suite" for the five records that every exporter is
 * tested with. `path`: a file of JSON lines, as the jsonl exporter writes them. One of the two is NULL. *ret_source is the caller's.
 * [one thread, as all of them] */
pep_status source_open(const char *data, const char *path, struct source **ret_source, struct pep_error *err);
/* *ret_id is NULL after the last one, and lives until the next call. An error of a file names its line. */
pep_status source_next(struct source *source, const struct pep_identity **ret_id, struct pep_error *err);
/* From the first one again. */
pep_status source_rewind(struct source *source, struct pep_error *err);
void source_close(struct source *source); /* NULL is fine */

#endif
