/* SPDX-License-Identifier: Apache-2.0
 *
 * checkup.h - what `doctor` has found, one line each, with what to do about it. One thread.
 */
#ifndef CLI_PROVISION_CHECKUP_H
#define CLI_PROVISION_CHECKUP_H

#include "cli/provision/plan.h"

enum checkup_level { CHECKUP_OK, CHECKUP_WARN, CHECKUP_FAIL };

struct checkup {
	json_t *checks; /* array of {name, level, detail, fix} */
	unsigned warned, failed;
};

/* `fix` NULL: nothing is to be done. */
__attribute__((format(printf, 5, 6))) void checkup_add(struct checkup *checkup, const char *name, enum checkup_level level,
						       const char *fix, const char *format, ...);
/* checkup_board.c: what can be seen on the gateway itself, of a plan that has its paths. */
void checkup_board(struct checkup *checkup, const struct plan *plan);
/* checkup_server.c: the server, the way to it, its clock, and what it thinks of our token. Fills in address and interface. */
void checkup_server(struct checkup *checkup, struct plan *plan);

#endif
