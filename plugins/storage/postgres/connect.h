/* SPDX-License-Identifier: Apache-2.0
 *
 * connect.h - a new connection to the first server that is there and takes writes, prepared for our statements.
 */
#ifndef PLUGINS_STORAGE_POSTGRES_CONNECT_H
#define PLUGINS_STORAGE_POSTGRES_CONNECT_H

#include <libpq-fe.h>
#include <pep/plugin.h>
#include <stdatomic.h>

#define CONNECT_HOSTS_MAX 16

/* What the configuration says. The texts are borrowed; empty: libpq's default. */
struct connect_settings {
	const struct pep_host *host;
	const char *hosts, *ports; /* with commas; one port is for all hosts */
	const char *database, *user, *password, *schema;
	const char *sslmode, *sslrootcert, *sslcert, *sslkey;
	int64_t connect_timeout_ms, query_timeout_ms;
	unsigned host_count;
	atomic_uint host_number; /* of the host that was good last: the first to be tried */
};

/* Are the lists of hosts and ports lists? Fills in host_count. */
pep_status connect_check(struct connect_settings *settings, struct pep_error *err);

/* Tries each host once, each for connect_timeout_ms at most; the caller has to PQfinish() it. PEP_INVALID: the server is there, but
 * must not be used as it is set up. PEP_UNAVAILABLE: any other failure. [any thread] */
pep_status connect_open(struct connect_settings *settings, PGconn **ret_conn, struct pep_error *err);

#endif
