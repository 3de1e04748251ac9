/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.h - what `provision` was told, checked as a whole before anything is done: options, environment, platform.
 */
#ifndef CLI_PROVISION_PLAN_H
#define CLI_PROVISION_PLAN_H

#include "cli/provision/facts.h"
#include "cli/provision/lights.h"
#include "cli/provision/platform.h"
#include "cli/provision/profile.h"
#include "cli/provision/services.h"
#include "cli/provision/tree.h"

#include <stdbool.h>
#include <stdint.h>

/* Below the state folder: where FCC works, unless --fcc-dir says so. */
#define PLAN_FCC_FOLDER "fcc"

struct plan {
	const struct session *session;
	const struct platform *platform;
	char *root; /* "" or a real path without a slash at its end; before every path of the platform */
	struct spot identity, store, state;
	struct spot clears[PLATFORM_CLEARS_MAX];
	size_t clear_count;
	char *identity_path, *store_path, *state_path;
	char *mark_path;   /* of the file that says what was provisioned */
	char *masked_path; /* of the one that says that it was us who masked the service */
	char *fcc_folder, *fcc_log, *fcc_path;
	struct spot pal;       /* what FCC leaves in its folder */
	const char *fcc;       /* the program; NULL: one runs already */
	const char *ip, *port; /* given; NULL: not */
	bool parsec, force, dry_run, warn_exit, trust_found;
	unsigned attempts;
	int64_t retry_ms, wait_ms, discover_ms, fcc_limit_ms;
	struct facts facts;
	struct profile profile;
	struct services services;
	struct lights lights;
};

/* An option's value, or that of the variable of the environment; NULL: neither. */
const char *plan_text(const struct session *session, const char *option, const char *variable);
/* Where a root is given, its real path; "" otherwise. The caller frees it. */
int plan_root(const struct session *session, char **ret_root, struct failure *err);
/* EXIT_USAGE or EXIT_CONFIGURATION for what cannot be. Reads serial number and MACs. The plan is the caller's until plan_fini(), also
 * after a failure; it must not be moved. */
int plan_make(const struct session *session, struct plan *ret_plan, struct failure *err);
void plan_fini(struct plan *plan);

#endif
