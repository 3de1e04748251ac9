/* SPDX-License-Identifier: Apache-2.0
 *
 * audit.h - who took which records, in a file that only grows: one JSON object a line, on disk before the call returns.
 */
#ifndef CORE_SERVICE_AUDIT_H
#define CORE_SERVICE_AUDIT_H

#include <jansson.h>
#include <pep/plugin.h>

struct audit;

/* `path`: made (mode 0600) if it is not there. A line that a loss of power cut short is ended, so that the next one stands alone.
 * [main thread] */
pep_status audit_open(const char *path, struct audit **ret_audit, struct pep_error *err);
void audit_close(struct audit *audit); /* NULL is fine */
/* Appends the object as a line, with the time (RFC 3339) in front. Takes over `event`; NULL: memory ran out while it was made.
 * PEP_UNAVAILABLE: it is not there. [any thread] */
pep_status audit_append(struct audit *audit, json_t *event, struct pep_error *err);

#endif
