/* SPDX-License-Identifier: Apache-2.0
 *
 * install.h - puts identity.json and the credentials where the gateway's software looks for them, and reads them back.
 *
 * Each step may be repeated after a kill at any moment.
 */
#ifndef CLI_PROVISION_INSTALL_H
#define CLI_PROVISION_INSTALL_H

#include "cli/provision/plan.h"

/* Moves the folder that FCC left to its place. With Parsec it is there already; also when an earlier run has moved it, which is so only if
 * the server `replayed` its reply and no client was written to in this run. EXIT_LOCAL_FILE, "credentials_missing": it is at neither place. */
int install_credentials(const struct plan *plan, bool replayed, struct failure *err);
/* Replaces identity.json at once, mode 0600; an equal one is left alone, as services restart when it changes. */
int install_identity(const struct plan *plan, const char *text, struct failure *err);
/* Reads everything back. Adds texts to `warnings`, an array, for what is odd; fails (EXIT_LOCAL_FILE, "verify_failed" or
 * "identity_mismatch") for what is wrong. *ret_certificate: the certificate itself was seen and is the right one. */
int install_verify(const struct plan *plan, const char *text, const char *enrollment_id, json_t *warnings, bool *ret_certificate,
		   struct failure *err);
/* Notes on disk that this serial is provisioned. */
int install_mark(const struct plan *plan, const char *enrollment_id, struct failure *err);
/* Whether there are credentials and an identity.json of a factory, for this serial: the scripts of the original tool leave no note. */
bool install_is_there(const struct plan *plan);
/* Whether that note is there, for this serial, with identity.json and credentials. `ret_enrollment_id` has room for 128 bytes. */
bool install_is_done(const struct plan *plan, char *ret_enrollment_id);
/* Removes what a killed run left beside identity.json. */
void install_sweep(const struct plan *plan);

#endif
