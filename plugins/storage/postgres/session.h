/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h - a connection with the statements that were prepared on it.
 */
#ifndef PLUGINS_STORAGE_POSTGRES_SESSION_H
#define PLUGINS_STORAGE_POSTGRES_SESSION_H

#include "connect.h"
#include "query.h"

struct session;

/* A statement of query.h with its parameters, as libpq wants them. `sizes` and `formats` may be NULL: all are texts. */
struct session_call {
	unsigned number;
	const char *const *values;
	const int *sizes, *formats;
};

pep_status session_open(struct connect_settings *settings, struct session **ret_session, struct pep_error *err);
void session_close(struct session *session); /* NULL is fine */

/* Has the server hung up, or said something while nobody asked? Then it is no use. */
bool session_is_well(struct session *session);
PGconn *session_conn(struct session *session);

/* Runs it, preparing it first if need be. Results as wire_finish(), in the binary format. PEP_UNKNOWN, too, if the server warned that a
 * commit has not reached its standby. */
pep_status session_run(struct session *session, const struct session_call *call, int64_t timeout_ms, PGresult **ret_result,
		       bool *ret_again, struct pep_error *err);

#endif
