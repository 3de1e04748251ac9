/* SPDX-License-Identifier: Apache-2.0
 *
 * host.h - what the server lends to one instance of a plugin: its log, and whether to stop.
 */
#ifndef CORE_PLUGIN_HOST_H
#define CORE_PLUGIN_HOST_H

#include <pep/plugin.h>
#include <stdatomic.h>

struct host {
	struct pep_host api; /* what the plugin sees; api.ctx is this struct */
	const char *instance;
	const atomic_bool *stopping; /* NULL: never */
};

/* `host` must not move afterwards. Both pointers must live as long as it. [any thread] */
void host_init(struct host *host, const char *instance, const atomic_bool *stopping);

#endif
