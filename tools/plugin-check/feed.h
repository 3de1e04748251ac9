/* SPDX-License-Identifier: Apache-2.0
 *
 * feed.h - one export without a server: records into an exporter, its file to a stream.
 */
#ifndef PLUGIN_CHECK_FEED_H
#define PLUGIN_CHECK_FEED_H

#include "source.h"
#include "subject.h"

/* As the server does it: check() of all records first, then record() of each. `profile`: NULL leaves it to the exporter. What was
 * written before a failure is a part of a file. [main thread] */
pep_status feed_run(struct subject *subject, const char *profile, struct source *source, FILE *out, struct pep_error *err);

#endif
