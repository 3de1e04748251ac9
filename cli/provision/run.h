/* SPDX-License-Identifier: Apache-2.0
 *
 * run.h - one call of `provision`: its plan, and what it has reached. Lives in provision_run(); one thread.
 */
#ifndef CLI_PROVISION_RUN_H
#define CLI_PROVISION_RUN_H

#include "cli/ask.h"
#include "cli/provision/fcc.h"
#include "cli/provision/plan.h"
#include "cli/provision/server.h"

struct run {
	const struct session *session;
	struct plan plan;
	struct server_choice server;
	struct ask ask;  /* of the last attempt */
	struct fcc *fcc; /* of the attempt under way; NULL: none */
	unsigned attempts;
	bool unfinished;  /* an earlier call left a request open; it was not followed by a clearing */
	bool cleared;     /* the old identity is gone, or may be in part */
	bool already;     /* nothing was to be done */
	bool certificate; /* was seen on the gateway */
	char enrollment_id[128];
	json_t *warnings; /* array of texts */
};

/* Tells of a step: a line on stderr, a line of JSON on stdout. */
__attribute__((format(printf, 3, 4))) void run_step(const struct run *run, const char *step, const char *format, ...);
/* Shows a state on LED and hooks, with what is known. */
void run_show(struct run *run, enum lights_state state, const struct failure *failure);

/* A request that will be refused must not cost the gateway the identity that it has: EXIT_EXISTS if that can be known. */
int run_refuse(const struct run *run, const struct server_view *view, struct failure *err);
/* Our address on the way to the server that was chosen, and the MACs, unless they were given. */
void run_complete_facts(struct run *run);

/* Asks for the identity, as often as --attempts and the errors allow, each time with a new FCC. Before the first request the old identity
 * is cleared, unless an earlier call was at it. EXIT_OK: run->ask holds the reply, its note is still there, and no FCC runs. */
int attempt_run(struct run *run, struct failure *err);
/* The fields of the request without address and port. The caller drops them. */
int attempt_fields(const struct run *run, json_t **ret_fields, struct failure *err);
/* Looks for the note of an earlier request: ask_was_there(). Without a server that was chosen nothing can be asked yet. */
int attempt_open(struct run *run, struct failure *err);
/* Every place that is cleared, one after the other; NULL: no more. */
const struct spot *attempt_place(const struct plan *plan, size_t index);

/* --dry-run: the result is the plan. */
int plan_show(struct run *run, struct failure *err);

#endif
