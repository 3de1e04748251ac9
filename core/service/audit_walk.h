/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_walk.h - chosen events of the audit, without a look at whether they are genuine: that is pep-server audit verify.
 */
#ifndef CORE_SERVICE_AUDIT_WALK_H
#define CORE_SERVICE_AUDIT_WALK_H

#include <jansson.h>
#include <pep/plugin.h>

struct audit_walk {
	const char *pattern; /* what the line of a wanted event holds, as it is written: "\"event\":\"provision\"" */
	int64_t since_seq, since_ms;
	int64_t line_limit; /* look at so many lines; 0: at all */
	/* Borrows the event; `at_ms`: its time. */
	void (*each)(void *context, const json_t *event, int64_t at_ms);
	void *context;
};

struct audit_walked {
	int64_t first_seq,
		first_ms; /* of the first line that was looked at, which may be before the wanted ones; 0: there was none */
	bool is_end;      /* false: the limit came first */
};

/* Each such event, oldest first, out of the files of a folder. What is no line, or was written by a clock that was set back since, may be
 * left out. `ret_walked` may be NULL. Fails as audit_reader.h says; `each` has had what came before. [any thread] */
pep_status audit_walk(const char *folder, const struct audit_walk *walk, struct audit_walked *ret_walked, struct pep_error *err);

#endif
