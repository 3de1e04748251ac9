/* SPDX-License-Identifier: Apache-2.0
 *
 * server.h - the server as a whole: start order, serving, stop order.
 */
#ifndef CORE_SERVER_H
#define CORE_SERVER_H

#include "core/config/config.h"

/* Run until SIGTERM or SIGINT. Opens the plugins, listens, writes the port that it listens on to `port_file` (NULL: does not) when it
 * is ready, drains when told to stop, and returns the exit code. `config` stays the caller's. [main thread, before any other] */
int server_run(struct config *config, const char *port_file);

#endif
