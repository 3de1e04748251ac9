/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_walk.h - the events of one name in the audit, without a look at whether they are genuine: that is pep-server audit verify.
 */
#ifndef CORE_SERVICE_AUDIT_WALK_H
#define CORE_SERVICE_AUDIT_WALK_H

#include <jansson.h>
#include <pep/plugin.h>

/* Each event of this name since then, oldest first, out of the files of a folder. `each` borrows the event. What is no line, or was written
 * by a clock that was set back since, may be left out. Fails as audit_reader.h says; `each` has had what came before. [any thread] */
pep_status audit_walk(const char *folder, const char *name, int64_t since_ms,
		      void (*each)(void *context, const json_t *event, int64_t at_ms), void *context, struct pep_error *err);

#endif
