/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.h - which calls of a store are to fail, and how: a file that a test may replace at any time.
 *
 * A rule is a line of KEY=VALUE, in any order. A call takes the first rule that fits it; without one it goes through.
 *   call=   insert, update, write (both), get (a walk with a serial), walk (any other), next (of such a walk), now, count, ping,
 *           read (get, walk, next, now, count), any
 *   state=  writes only: the state that is written: claimed, contacted, issued, deployed, failed, in_doubt, retired
 *   serial= writes and get only: what the serial begins with
 *   skip=   so many calls that fit pass before (0)
 *   times=  then so many fail, and the others pass (0: all)
 *   fault=  unavailable, unknown-applied, unknown-not-applied, unknown-late (applied after `ms`), slow (by `ms`, then it works), hold (until
 *           the file says otherwise, then it works), pass
 *   ms=     milliseconds (0)
 * Lines that are empty or begin with # say nothing. No file: no faults. To change the rules, rename a new file over the old one.
 */
#ifndef FAULTY_RULES_H
#define FAULTY_RULES_H

#include <pep/plugin.h>

enum call_kind { CALL_INSERT = 1, CALL_UPDATE, CALL_GET, CALL_WALK, CALL_NEXT, CALL_NOW, CALL_COUNT, CALL_PING };
enum fault { FAULT_PASS, FAULT_UNAVAILABLE, FAULT_APPLIED, FAULT_NOT_APPLIED, FAULT_LATE, FAULT_SLOW, FAULT_HOLD };

struct call {
	enum call_kind kind;
	uint32_t state;     /* of a write; else 0 */
	const char *serial; /* NULL: none */
};
struct verdict {
	enum fault fault;
	int64_t ms;
	uint64_t version; /* of the file that said so */
};

struct rules;
/* NULL: out of memory. The path is copied. */
struct rules *rules_new(const char *path);
void rules_free(struct rules *rules);
/* Looks at the file if it has changed, and counts the call. PEP_INVALID: the file cannot be understood; *err says which line.
 * [any thread] */
pep_status rules_judge(struct rules *rules, const struct call *call, struct verdict *ret_verdict, struct pep_error *err);
/* Has the file changed since? [any thread] */
bool rules_changed(struct rules *rules, uint64_t version);

/* As the rules have it, for the log. */
const char *rules_fault_name(enum fault fault);
const char *rules_call_name(enum call_kind kind);

#endif
