/* SPDX-License-Identifier: Apache-2.0
 *
 * driver_log.h - what the driver has to say goes to the server's log.
 */
#ifndef PLUGINS_STORAGE_MONGO_DRIVER_LOG_H
#define PLUGINS_STORAGE_MONGO_DRIVER_LOG_H

#include <pep/plugin.h>

/* An entry in the list of those who may hear it; the caller's, from start to stop. */
struct driver_log {
	struct driver_log *next;
	const struct pep_host *host;
};

/* The driver has one log for the process: of several stores the one opened last hears it. */
void driver_log_start(struct driver_log *log, const struct pep_host *host);
/* After this the host is not called any more. */
void driver_log_stop(struct driver_log *log);

#endif
