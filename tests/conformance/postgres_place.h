/* SPDX-License-Identifier: Apache-2.0
 *
 * postgres_place.h - a PostgreSQL server for one test program, and the options of the postgres plugin for a schema in it.
 */
#ifndef CONFORMANCE_POSTGRES_PLACE_H
#define CONFORMANCE_POSTGRES_PLACE_H

#include <pep/plugin.h>
#include <sys/types.h>

#define POSTGRES_PLACE_SIZE 256
#define POSTGRES_SKIPPED 77               /* exit code: there is no PostgreSQL here */
#define POSTGRES_PASSWORD "correct horse" /* of the user "keeper", over TCP; the user "pep" needs none, over the socket */

/* In the order of the plugin's options. */
enum postgres_option {
	POSTGRES_HOST,
	POSTGRES_PORT,
	POSTGRES_DATABASE,
	POSTGRES_USER,
	POSTGRES_PASSWORD_OPTION,
	POSTGRES_SCHEMA,
	POSTGRES_SSLMODE,
	POSTGRES_SSLROOTCERT,
	POSTGRES_SSLCERT,
	POSTGRES_SSLKEY,
	POSTGRES_CONNECTIONS,
	POSTGRES_CONNECT_TIMEOUT,
	POSTGRES_QUERY_TIMEOUT,
	POSTGRES_WAIT_TIMEOUT,
	POSTGRES_OPTION_COUNT,
};

struct postgres_place {
	char folder[POSTGRES_PLACE_SIZE], port[16]; /* folder: of the socket, and ca.pem */
	pid_t helper;
	int to_helper, from_helper;
};

/* Starts the server. Ends the program if that fails, with POSTGRES_SKIPPED if PostgreSQL is not installed. */
void postgres_place_init(struct postgres_place *place, bool tls);
void postgres_place_fini(struct postgres_place *place);
/* stop, kill, start, pause or wake the server; returns when that is done. */
void postgres_place_tell(struct postgres_place *place, const char *verb);
/* The answers to the plugin's options, for a schema, which is borrowed like the place. */
void postgres_place_values(const struct postgres_place *place, const char *schema, union pep_value *ret_values);

#endif
