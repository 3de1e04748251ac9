/* SPDX-License-Identifier: Apache-2.0
 *
 * server.h - the server as a whole: start order, serving, stop order.
 */
#ifndef CORE_SERVER_H
#define CORE_SERVER_H

#include "core/config/config.h"

/* How the process ends; in the manual page, and never renumbered. */
enum server_exit {
	SERVER_EXIT_OK = 0,
	SERVER_EXIT_OTHER = 1,
	SERVER_EXIT_USAGE = 2,
	SERVER_EXIT_CONFIG = 3, /* configuration, or a plugin that was refused */
	SERVER_EXIT_LISTEN = 4, /* the address cannot be listened on */
	SERVER_EXIT_DATA = 12,  /* data folder, spool or storage cannot be opened */
};

/* Run until SIGTERM or SIGINT. Opens the plugins, listens, writes the port that it listens on to `port_file` (NULL: does not) when it
 * is ready, drains when told to stop, and returns the exit code. `config` stays the caller's. [main thread, before any other] */
int server_run(struct config *config, const char *port_file);
/* Can certificate, key and client_ca be used? [main thread] */
pep_status server_check_tls(const struct config *config, struct pep_error *err);

#endif
