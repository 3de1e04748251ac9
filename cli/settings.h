/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.h - the server's address and the time limit, checked before anything is sent. [any thread]
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "cli/exit.h"

#include <stdint.h>

struct settings {
	char *server; /* base address without a trailing slash; may hold a password: never shown */
	char *shown;  /* the same without user name and password */
	int64_t timeout_ms;
};

/* Checks the texts of PEP_SERVER_URL and PEP_TIMEOUT (NULL: not set). EXIT_OK, or EXIT_CONFIGURATION with *err filled. The
 * settings are the caller's until settings_fini(). */
int settings_load(const char *server_url, const char *timeout, struct settings *ret_settings, struct failure *err);
/* Of zeroed or loaded settings. */
void settings_fini(struct settings *settings);

#endif
