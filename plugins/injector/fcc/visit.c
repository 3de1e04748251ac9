/* SPDX-License-Identifier: Apache-2.0 */
#include "visit.h"

#include "status.h"

#include <errno.h>
#include <string.h>

#define INFO_ROOM 160
#define STATUS_NO_WARNINGS 32 /* the gateway's program did all, but could not write its warnings */

pep_status visit_end(struct visit *visit, uint32_t outcome, pep_status status, const char *format, ...)
{
	struct pep_injection *ret = visit->ret;
	int size = snprintf(ret->detail, sizeof(ret->detail), "gateway %.64s at %s port %u: ", visit->id->serial, visit->target->ip,
			    visit->target->port);
	va_list args;

	ret->outcome = outcome;
	va_start(args, format);
	if (size > 0 && (size_t)size < sizeof(ret->detail))
		(void)vsnprintf(ret->detail + size, sizeof(ret->detail) - (size_t)size, format, args);
	va_end(args);
	return status == PEP_OK ? PEP_OK : pep_fail(visit->err, status, visit->connection.error, "%s", ret->detail);
}

/* Once it has got something, its factory program waits for the rest, or has ended. */
static const char *restart_advice(const struct visit *visit)
{
	return visit->is_touched ? "start its factory program again and " : "";
}

pep_status visit_give_up(struct visit *visit, pep_status status, const char *what)
{
	(void)visit_end(visit, PEP_NOT_SENT, PEP_OK, "%s; %sretry", what, restart_advice(visit));
	return status;
}

static pep_status cancelled(struct visit *visit)
{
	return visit_end(visit, PEP_NOT_SENT, PEP_CANCELLED,
			 "given up before its certificate was sent, as the server asked to; %sretry", restart_advice(visit));
}

static int64_t step_deadline(const struct visit *visit, int64_t limit_ms)
{
	int64_t now_ms = connection_now_ms();

	return visit->deadline_ms - now_ms < limit_ms ? visit->deadline_ms : now_ms + limit_ms;
}

static const char *connect_advice(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "its factory program does not run, or not on this port; it takes a new port at each start";
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "look at cable, address and routes";
	default:
		return "look at the network";
	}
}

pep_status visit_connect(struct visit *visit, int64_t limit_ms)
{
	enum connection_end end;

	visit->connection.giving_up = visit->witness;
	end = connection_open(&visit->connection, visit->target, step_deadline(visit, limit_ms));
	switch (end) {
	case CONNECTION_DONE:
		return PEP_OK;
	case CONNECTION_CANCELLED:
		return cancelled(visit);
	case CONNECTION_TIMEOUT:
		return visit_end(visit, PEP_NOT_SENT, PEP_TIMEOUT,
				 "no connection within the time limit; is it on, and the address right?");
	default:
		return visit_end(visit, PEP_NOT_SENT, PEP_UNAVAILABLE, "no connection: %s; %s", strerror(visit->connection.error),
				 connect_advice(visit->connection.error));
	}
}

/* The connection has ended. With the certificate sent, nobody knows what the gateway did with it. */
static pep_status lost(struct visit *visit, const char *when)
{
	int error = visit->connection.error;
	const char *why = error ? strerror(error) : "the gateway closed it";

	if (visit->is_sent)
		return visit_end(visit, PEP_DOUBTFUL, PEP_UNKNOWN,
				 "connection lost %s: %s; it may have its certificate: start its factory program again and retry, "
				 "or read the gateway",
				 when, why);
	return visit_end(visit, PEP_NOT_SENT, PEP_UNAVAILABLE,
			 "connection lost %s: %s; it has no certificate: start its factory program again and retry", when, why);
}

static pep_status too_late(struct visit *visit, const char *what)
{
	if (visit->is_sent)
		return visit_end(visit, PEP_DOUBTFUL, PEP_TIMEOUT,
				 "%s within the time limit; it may have its certificate: start its factory program again and "
				 "retry, or read the gateway",
				 what);
	return visit_end(visit, PEP_NOT_SENT, PEP_TIMEOUT,
			 "%s within the time limit; it has no certificate: start its factory program again and retry", what);
}

pep_status visit_send(struct visit *visit, const struct message *message, bool may_stop, int64_t limit_ms)
{
	enum connection_end end;
	size_t sent = 0;

	visit->connection.giving_up = may_stop ? visit->witness : NULL;
	if (!may_stop)
		connection_make_room(&visit->connection, message->size);
	end = connection_send(&visit->connection, message->data, message->size, step_deadline(visit, limit_ms), &sent);
	visit->is_touched |= sent > 0;
	switch (end) {
	case CONNECTION_DONE:
		return PEP_OK;
	case CONNECTION_CANCELLED:
		return cancelled(visit);
	case CONNECTION_TIMEOUT:
		return too_late(visit, "it did not read its message");
	default:
		return lost(visit, "while the message was sent");
	}
}

static pep_status read_frame(struct visit *visit, int64_t limit_ms, struct frame_reader *reader)
{
	int64_t deadline_ms = step_deadline(visit, limit_ms);
	uint8_t *place;
	size_t want;

	visit->connection.giving_up = visit->is_sent ? NULL : visit->witness;
	while ((want = frame_reader_want(reader, &place)) > 0) {
		size_t got = 0;

		switch (connection_receive(&visit->connection, place, want, deadline_ms, &got)) {
		case CONNECTION_DONE:
			(void)frame_reader_took(reader, got);
			break;
		case CONNECTION_CANCELLED:
			return cancelled(visit);
		case CONNECTION_TIMEOUT:
			return too_late(visit, "no whole answer");
		default:
			return lost(visit, "before the whole answer");
		}
	}
	return PEP_OK;
}

/* An answer, but not one that says yes or no. */
static pep_status unclear(struct visit *visit, const char *what)
{
	if (visit->is_sent)
		return visit_end(visit, PEP_DOUBTFUL, PEP_UNKNOWN,
				 "its answer cannot be understood: %s; it may have its certificate: start its factory program "
				 "again and retry, or read the gateway",
				 what);
	return visit_end(visit, PEP_NOT_SENT, PEP_INTERNAL,
			 "its answer cannot be understood: %s; is this the gateway's factory program?", what);
}

pep_status visit_check(struct visit *visit)
{
	bool has_input = false;

	if (visit->witness->cancelled(visit->witness))
		return cancelled(visit);
	if (connection_now_ms() >= visit->deadline_ms)
		return visit_end(visit, PEP_NOT_SENT, PEP_TIMEOUT, "the time limit passed before its certificate was sent; %sretry",
				 restart_advice(visit));
	if (visit->connection.fd < 0)
		return PEP_OK;
	if (connection_look(&visit->connection, &has_input) != CONNECTION_DONE)
		return lost(visit, "before its message was sent");
	/* Another service greets, and what came too much would be taken for the next answer. */
	return has_input ? unclear(visit, "it says something that it was not asked for") : PEP_OK;
}

/* A status without a message. After the certificate that can also mean that all was stored (an answer too long for the gateway). */
static pep_status refused_bare(struct visit *visit, uint32_t comm_status)
{
	const char *words = status_comm_words(comm_status);

	if (visit->is_sent)
		return visit_end(visit, PEP_DOUBTFUL, PEP_UNKNOWN,
				 "communication status %u (%s); it may have its certificate: start its factory program again and "
				 "retry, or read the gateway",
				 comm_status, words);
	return visit_end(visit, PEP_REFUSED, PEP_CONFLICT,
			 "it refused: communication status %u (%s); start its factory program again", comm_status, words);
}

static pep_status refused(struct visit *visit, const struct response *response)
{
	char info[INFO_ROOM];

	response_show(response->info, info, sizeof(info));
	return visit_end(
		visit, PEP_REFUSED, PEP_CONFLICT,
		"it refused: status %llu (%s), it says \"%s\"; it is erased: mend that, then start its factory program again",
		(unsigned long long)response->return_status, status_words(response->return_status), info);
}

pep_status visit_receive(struct visit *visit, int64_t limit_ms, struct frame_reader *reader, struct response *ret_response)
{
	struct response response;
	const char *fault;
	pep_status status;

	frame_reader_init(reader);
	status = read_frame(visit, limit_ms, reader);
	if (status != PEP_OK)
		return status;
	if (reader->state == FRAME_STATUS)
		return refused_bare(visit, reader->comm_status);
	if (reader->state != FRAME_WHOLE)
		return unclear(visit, reader->fault);
	if (!response_read(reader->payload, &response, &fault))
		return unclear(visit, fault);
	if (response.sid.data && !response_is(response.sid, visit->sid))
		return unclear(visit, "it belongs to another session");
	if (visit->is_sent && response.csr_count)
		return unclear(visit, "it is the answer to an earlier message");
	if (response.return_status == STATUS_NO_WARNINGS)
		return unclear(visit, status_words(STATUS_NO_WARNINGS));
	if (response.return_status)
		return refused(visit, &response);
	*ret_response = response;
	return PEP_OK;
}
