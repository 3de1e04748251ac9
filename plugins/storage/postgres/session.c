/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* The server's own limit ends a statement before ours, so that its answer says for certain what became of it. */
#define GRACE_MS 1000

struct session {
	const struct pep_host *host;
	PGconn *conn;
	bool is_warned; /* by the statement that runs */
	bool is_prepared[QUERY_COUNT];
};

/* The server reports a commit that an administrator cut off from waiting for the standby as done, with a warning. */
static void take_notice(void *arg, const PGresult *result)
{
	struct session *session = arg;
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	char text[WIRE_TEXT_SIZE], line[WIRE_TEXT_SIZE + 32];

	session->is_warned = session->is_warned || (severity && strcmp(severity, "WARNING") == 0);
	wire_text(PQresultErrorMessage(result), text);
	(void)snprintf(line, sizeof(line), "PostgreSQL says: %s", text);
	session->host->log(session->host, 6, line);
}

pep_status session_open(struct connect_settings *settings, struct session **ret_session, struct pep_error *err)
{
	struct session *session = calloc(1, sizeof(*session));
	pep_status status;

	if (!session)
		return pep_fail(err, PEP_UNAVAILABLE, ENOMEM, "cannot connect to PostgreSQL: out of memory");
	session->host = settings->host;
	status = connect_open(settings, &session->conn, err);
	if (status != PEP_OK) {
		free(session);
		return status;
	}
	(void)PQsetNoticeReceiver(session->conn, take_notice, session);
	*ret_session = session;
	return PEP_OK;
}

void session_close(struct session *session)
{
	if (!session)
		return;
	PQfinish(session->conn);
	free(session);
}

bool session_is_well(struct session *session)
{
	struct pollfd socket = {.fd = PQsocket(session->conn), .events = POLLIN};

	if (PQstatus(session->conn) != CONNECTION_OK)
		return false;
	if (poll(&socket, 1, 0) == 0)
		return true;
	/* Also a changed setting or a notice; the end of the connection shows in the second look. */
	return PQconsumeInput(session->conn) && !PQisBusy(session->conn) && poll(&socket, 1, 0) == 0;
}

PGconn *session_conn(struct session *session)
{
	return session->conn;
}

/* Nothing has been sent if libpq refuses to, unless the connection is gone. */
static pep_status not_sent(const struct session *session, bool *again, struct pep_error *err)
{
	bool is_gone = PQstatus(session->conn) != CONNECTION_OK;
	char text[WIRE_TEXT_SIZE];

	wire_text(PQerrorMessage(session->conn), text);
	*again = is_gone;
	return pep_fail(err, is_gone ? PEP_UNKNOWN : PEP_UNAVAILABLE, 0, "cannot send a statement to PostgreSQL: %s", text);
}

static pep_status prepare(struct session *session, unsigned number, const char *name, int64_t deadline_ms, bool *again,
			  struct pep_error *err)
{
	char sql[QUERY_SQL_SIZE];
	PGresult *result = NULL;
	pep_status status;

	if (session->is_prepared[number])
		return PEP_OK;
	query_sql(number, sql);
	if (!PQsendPrepare(session->conn, name, sql, 0, NULL))
		status = not_sent(session, again, err);
	else
		status = wire_finish(session->conn, deadline_ms, &result, again, err);
	PQclear(result);
	session->is_prepared[number] = status == PEP_OK;
	if (status == PEP_OK)
		return PEP_OK;
	/* Preparing changes nothing, so whatever happened, it was not done. */
	*again = status == PEP_UNKNOWN;
	if (err)
		err->status = PEP_UNAVAILABLE;
	return PEP_UNAVAILABLE;
}

pep_status session_run(struct session *session, const struct session_call *call, int64_t timeout_ms, PGresult **ret_result,
		       bool *ret_again, struct pep_error *err)
{
	int64_t deadline_ms = wire_now_ms() + timeout_ms + GRACE_MS;
	PGresult *result = NULL;
	pep_status status;
	char name[16];

	(void)snprintf(name, sizeof(name), "pep%u", call->number);
	*ret_again = false;
	status = prepare(session, call->number, name, deadline_ms, ret_again, err);
	if (status != PEP_OK)
		return status;
	session->is_warned = false;
	if (!PQsendQueryPrepared(session->conn, name, query_parameter_count(call->number), call->values, call->sizes, call->formats,
				 1))
		return not_sent(session, ret_again, err);
	status = wire_finish(session->conn, deadline_ms, &result, ret_again, err);
	if (status == PEP_OK && session->is_warned) {
		PQclear(result);
		return pep_fail(err, PEP_UNKNOWN, 0,
				"PostgreSQL warned that a commit has not reached its standby: look at its log");
	}
	if (status == PEP_OK)
		*ret_result = result;
	return status;
}
