/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>

int64_t wire_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

short wire_wait(const PGconn *conn, short events, int64_t deadline_ms)
{
	struct pollfd socket = {.fd = PQsocket(conn), .events = events};
	int64_t left_ms;
	int count;

	do {
		left_ms = deadline_ms - wire_now_ms();
		left_ms = left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : left_ms;
		count = poll(&socket, 1, (int)left_ms);
	} while (count < 0 && (errno == EINTR || errno == EAGAIN));
	/* An error or a hang-up shows when libpq reads. */
	return count > 0 ? (short)(socket.revents & events ? socket.revents & events : events) : 0;
}

void wire_text(const char *message, char ret_text[WIRE_TEXT_SIZE])
{
	size_t size = 0;

	for (; *message && size < WIRE_TEXT_SIZE - 1; message++) {
		char byte = *message >= ' ' && *message <= '~' ? *message : *message == '\n' || *message == '\t' ? ' ' : '?';

		if (byte != ' ' || (size > 0 && ret_text[size - 1] != ' '))
			ret_text[size++] = byte;
	}
	while (size > 0 && ret_text[size - 1] == ' ')
		size--;
	ret_text[size] = '\0';
}

static pep_status late(struct pep_error *err)
{
	return pep_fail(err, PEP_UNKNOWN, ETIMEDOUT,
			"PostgreSQL did not answer in time: look at its load and the network, or raise storage.query_timeout");
}

static pep_status lost(const PGconn *conn, bool *again, struct pep_error *err)
{
	char text[WIRE_TEXT_SIZE];

	*again = true;
	wire_text(PQerrorMessage(conn), text);
	return pep_fail(err, PEP_UNKNOWN, 0, "the connection to PostgreSQL was lost: %s", text);
}

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Codes are those of the manual's appendix A. An ERROR ends the transaction, and each of our statements is one; not so what ends the
 * connection, for it may have happened during the commit, and what a pooler says in the server's place (class 08). */
static pep_status meaning(const PGresult *result, const char *code, bool *again)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (!severity || strcmp(severity, "ERROR") != 0 || begins(code, "08") || begins(code, "57P0") || begins(code, "40003")) {
		*again = true;
		return PEP_UNKNOWN;
	}
	if (begins(code, "23505"))
		return PEP_CONFLICT;
	if (begins(code, "22") || begins(code, "23") || begins(code, "54"))
		return PEP_INVALID;
	/* Serialization, deadlock; a statement that somebody has dropped. */
	*again = begins(code, "40") || begins(code, "26");
	return PEP_UNAVAILABLE;
}

static pep_status refused(const PGresult *result, bool *again, struct pep_error *err)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	/* Not the detail: it quotes the record. */
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	pep_status status = meaning(result, code ? code : "", again);
	char text[WIRE_TEXT_SIZE];

	wire_text(message ? message : PQresultErrorMessage(result), text);
	return pep_fail(err, status, 0, "PostgreSQL %s: %s (SQLSTATE %.5s)",
			status == PEP_UNKNOWN ? "ended the connection" : "refused a statement", text, code ? code : "none");
}

static bool is_good(const PGresult *result)
{
	ExecStatusType type = PQresultStatus(result);

	return type == PGRES_COMMAND_OK || type == PGRES_TUPLES_OK;
}

/* Everything is written, while what the server says is read, so that neither waits for the other. */
static pep_status flush(PGconn *conn, int64_t deadline_ms, bool *again, struct pep_error *err)
{
	int rest;

	while ((rest = PQflush(conn)) > 0) {
		short ready = wire_wait(conn, POLLIN | POLLOUT, deadline_ms);

		if (!ready)
			return late(err);
		if ((ready & POLLIN) && !PQconsumeInput(conn))
			return lost(conn, again, err);
	}
	return rest == 0 ? PEP_OK : lost(conn, again, err);
}

/* The next result, NULL behind the last one. */
static pep_status next(PGconn *conn, int64_t deadline_ms, PGresult **ret_result, bool *again, struct pep_error *err)
{
	while (PQisBusy(conn)) {
		if (!wire_wait(conn, POLLIN, deadline_ms))
			return late(err);
		if (!PQconsumeInput(conn))
			return lost(conn, again, err);
	}
	*ret_result = PQgetResult(conn);
	return PEP_OK;
}

pep_status wire_finish(PGconn *conn, int64_t deadline_ms, PGresult **ret_result, bool *ret_again, struct pep_error *err)
{
	PGresult *result = NULL, *more = NULL;
	pep_status status;

	*ret_again = false;
	status = flush(conn, deadline_ms, ret_again, err);
	while (status == PEP_OK) {
		status = next(conn, deadline_ms, &more, ret_again, err);
		if (status != PEP_OK || !more)
			break;
		/* The first error is the cause of those behind it. */
		if (result && !is_good(result)) {
			PQclear(more);
			continue;
		}
		PQclear(result);
		result = more;
	}
	if (result && !is_good(result))
		status = refused(result, ret_again, err);
	else if (status == PEP_OK && !result)
		status = lost(conn, ret_again, err);
	if (status == PEP_OK)
		*ret_result = result;
	else
		PQclear(result);
	return status;
}
