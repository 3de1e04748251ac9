/* SPDX-License-Identifier: Apache-2.0
 *
 * checkup.h - would this server start, and would it be well? Tried one thing after the other, without serving anybody. What
 * `pep-server doctor` and `pep-server --check-config` are about.
 */
#ifndef CORE_CHECKUP_H
#define CORE_CHECKUP_H

#include "core/config/config.h"

enum checkup_level {
	CHECKUP_GOOD,
	CHECKUP_WARNING, /* it would start; somebody should look at it */
	CHECKUP_FAILED,  /* it would not start */
};

struct checkup_finding {
	enum checkup_level level;
	const char *name; /* of the check: "storage" */
	const char *text; /* what was found and, behind a semicolon, what to do; until `report` returns */
	int exit_code;    /* FAILED: of enum server_exit */
};

typedef void (*checkup_report)(void *context, const struct checkup_finding *finding);

/* Who may come in, certificates, secrets and their files' modes, plugins and their options; then, if the data folder is there, belongs to this
 * user and no server runs on it, the storage and the injector (with its authority, or the tree of the vendor's tool) are opened and closed
 * again. As at a start, a store that is empty or of an earlier version gets its tables. [main thread] */
void checkup_start(const struct config *config, checkup_report report, void *context);
/* What does not keep a server from starting: room on the disk, limits of the process, the clock, outcomes that wait, certificates that are
 * about to end, a port that is taken, choices for trying out. [main thread] */
void checkup_health(const struct config *config, checkup_report report, void *context);

#endif
