/* SPDX-License-Identifier: Apache-2.0
 *
 * services.h - keeps edge-core away while its credentials change, where there is a systemd. A file in the state folder remembers over a
 * power cut that it was us who masked it.
 */
#ifndef CLI_PROVISION_SERVICES_H
#define CLI_PROVISION_SERVICES_H

#include "cli/provision/tree.h"
#include "cli/session.h"

struct services {
	const struct session *session;
	const char *name; /* of the unit; NULL: leave it alone */
	const char *root; /* systemd runs if ROOT/run/systemd/system is there (sd_booted(3)) */
	const char *mark; /* path of that file */
};

/* Whether there is anything to do. */
bool services_are_there(const struct services *services);
/* Masks and stops the unit, unless somebody else has masked it; until the next boot only, where /etc is read-only. EXIT_LOCAL_FILE:
 * systemctl failed. */
int services_hold(const struct services *services, struct failure *err);
/* Unmasks it, if services_hold() has masked it, now or in an earlier run. */
int services_release(const struct services *services, struct failure *err);

#endif
