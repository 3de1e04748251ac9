/* SPDX-License-Identifier: Apache-2.0
 *
 * server_parts.h - what the server consists of: opened one after the other, closed in the reverse order.
 */
#ifndef CORE_SERVER_PARTS_H
#define CORE_SERVER_PARTS_H

#include "core/api/api.h"
#include "core/http/listener.h"
#include "core/look.h"
#include "core/service/owner.h"
#include "core/service/recover.h"
#include "core/watchdog.h"

/* Everything that runs. Members are set in start order and freed in the reverse of it. */
struct server {
	struct config *config;
	atomic_bool stopping;
	struct instance_context plugins;
	char owner[OWNER_ROOM];
	struct storage *storage;
	struct injector *injector;
	struct exporter **exporters;
	size_t exporter_count;
	struct spool *spool;
	struct pending *pending;
	struct audit *audit;
	struct push *push;
	struct orders *orders;
	struct provisioner provisioner;
	bool has_provisioner;
	struct recovery *recovery;
	struct look look;
	struct access *access;
	regex_t serial_pattern;
	bool has_serial_pattern;
	struct api_context api;
	struct route routes[API_ROUTE_COUNT];
	struct tls *tls; /* NULL: plain HTTP */
	struct listener_settings settings;
	struct listener *listener;
	struct watchdog *watchdog; /* NULL: systemd wants to hear nothing */
};

/* Returns an exit code of server.h; the log says why. `config` and `plugins` are set, all else is zero. [main thread] */
int server_start(struct server *server);
/* Also after a start that failed half-way: lets what runs end, and closes what is open. [main thread] */
void server_stop(struct server *server, int exit_code);

/* What went wrong, in one line; returns the exit code that says of which kind it is. */
int server_refuse(const struct pep_error *err, int exit_code);

#endif
