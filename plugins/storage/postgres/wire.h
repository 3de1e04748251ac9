/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.h - libpq without blocking: waits with a deadline, and what an answer means for the contract.
 */
#ifndef PLUGINS_STORAGE_POSTGRES_WIRE_H
#define PLUGINS_STORAGE_POSTGRES_WIRE_H

#include <libpq-fe.h>
#include <pep/plugin.h>

#define WIRE_TEXT_SIZE 320

/* Deadlines are by this clock; it does not jump. */
int64_t wire_now_ms(void);

/* Waits for POLLIN or POLLOUT. Returns those that are there, 0 at the deadline. */
short wire_wait(const PGconn *conn, short events, int64_t deadline_ms);

/* Sends what PQsend...() has queued, and waits for the whole answer, which is for the caller to clear.
 *   PEP_CONFLICT     a unique index refused it
 *   PEP_INVALID      the server refuses such a value
 *   PEP_UNAVAILABLE  the server says that it was not done
 *   PEP_UNKNOWN      nobody says what became of it: no answer before the deadline, or the connection was lost
 * *ret_again is written in any case: the same may well work at once, on a new connection. After anything but PEP_OK, PEP_CONFLICT
 * and PEP_INVALID the connection is not to be used again. */
pep_status wire_finish(PGconn *conn, int64_t deadline_ms, PGresult **ret_result, bool *ret_again, struct pep_error *err);

/* What libpq reports, as one line of ASCII without its end, whatever the server's language. */
void wire_text(const char *message, char ret_text[WIRE_TEXT_SIZE]);

#endif
