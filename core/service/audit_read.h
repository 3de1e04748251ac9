/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_read.h - reads back what the audit has on disk, without a look at whether it is genuine: that is pep-server audit verify.
 */
#ifndef CORE_SERVICE_AUDIT_READ_H
#define CORE_SERVICE_AUDIT_READ_H

#include <jansson.h>
#include <pep/plugin.h>

/* Each event of this name since then, oldest first, out of the files of a folder. `each` borrows the event. What is no line, or was written
 * by a clock that was set back since, may be left out. PEP_NOT_FOUND: the folder cannot be read. [any thread] */
pep_status audit_walk(const char *folder, const char *name, int64_t since_ms,
		      void (*each)(void *context, const json_t *event, int64_t at_ms), void *context, struct pep_error *err);

#endif
