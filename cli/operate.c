/* SPDX-License-Identifier: Apache-2.0
 *
 * status, reprovision, resolve and retire: one serial, as the server knows it, and what an operator decides about it.
 */
#include "cli/client.h"
#include "cli/print.h"
#include "core/base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_json(json_t **value)
{
	json_decref(*value);
}

/* "/v3/identities/SERIAL" and what is behind it. NULL: out of memory. */
static char *make_path(const char *serial, const char *verb)
{
	AUTO(free_ptr) char *path = client_segment("/v3/identities/", serial);
	char *whole = NULL;

	if (!path || asprintf(&whole, "%s%s%s", path, verb ? "/" : "", verb ? verb : "") < 0)
		return NULL;
	return whole;
}

/* One exchange; *ret_object is the reply's JSON, the caller's. `body` NULL: GET. */
static int exchange(const struct session *session, const char *verb, const json_t *body, json_t **ret_object, struct failure *err)
{
	AUTO(settings_fini) struct settings settings = {0};
	AUTO(client_reply_fini) struct reply reply = {0};
	AUTO(free_ptr) char *path = make_path(session->argument, verb);
	AUTO(free_ptr) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const struct request request = {.method = body ? "POST" : "GET", .path = path, .body = text};
	char what[256];
	int code;

	if (!path || (body && !text))
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	code = settings_load(getenv("PEP_SERVER_URL"), getenv("PEP_TIMEOUT"), &settings, err);
	if (code == EXIT_OK)
		code = client_send(session, &settings, &request, &reply, err);
	if (code != EXIT_OK)
		return code;
	if (reply.http_status != 200) {
		(void)snprintf(what, sizeof(what), "%s of serial %.128s", session->command->name, session->argument);
		return client_refused(&reply, what, err);
	}
	*ret_object = json_loadb(reply.body.data, reply.body.size, 0, NULL);
	if (!*ret_object)
		return failure_set(err, EXIT_SERVER, "bad_reply", "the server answered something that is no JSON");
	return EXIT_OK;
}

/* For people with a line for each member, for programs as one. */
static int show(const struct session *session, json_t *object, struct failure *err)
{
	AUTO(free_ptr) char *text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	AUTO(free_ptr) char *line = NULL;
	int size = text ? asprintf(&line, "%s\n", text) : -1;

	if (size < 0)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	return print_result(session, line, (size_t)size, json_pack("{sO}", "identity", object), err);
}

int operate_run_status(struct session *session, struct failure *err)
{
	AUTO(free_json) json_t *record = NULL;
	int code = session_check(session, err);

	if (code == EXIT_OK)
		code = exchange(session, NULL, NULL, &record, err);
	return code == EXIT_OK ? show(session, record, err) : code;
}

/* What the options with a field say, and then `verb`. */
static int operate(struct session *session, const char *verb, json_t *body, struct failure *err)
{
	AUTO(free_json) json_t *answer = NULL;
	int code = exchange(session, verb, body, &answer, err);

	return code == EXIT_OK ? show(session, answer, err) : code;
}

/* Without --enrollment-id, what the gateway has now is replaced. */
static int add_enrollment_id(const struct session *session, json_t *body, struct failure *err)
{
	AUTO(free_json) json_t *record = NULL;
	json_t *id;
	int code;

	if (json_object_get(body, "enrollment_id"))
		return EXIT_OK;
	code = exchange(session, NULL, NULL, &record, err);
	if (code != EXIT_OK)
		return code;
	id = json_object_get(record, "enrollment_id");
	if (!id || json_object_set(body, "enrollment_id", id) != 0)
		return failure_set(
			err, EXIT_OTHER, "not_deployed",
			"serial %.128s has no enrollment identity that could be replaced; pep-cli status shows its state",
			session->argument);
	return EXIT_OK;
}

int operate_run_reprovision(struct session *session, struct failure *err)
{
	AUTO(free_json) json_t *body = NULL;
	int code = session_check(session, err);

	if (code == EXIT_OK)
		code = session_fields(session, &body, err);
	if (code == EXIT_OK)
		code = add_enrollment_id(session, body, err);
	return code == EXIT_OK ? operate(session, "grant", body, err) : code;
}

/* The number is a text until here. */
static int add_evidence(const struct session *session, json_t *body, struct failure *err)
{
	const char *attempt = session_named(session, "attempt");
	size_t size = strlen(attempt);
	json_int_t number = 0;

	for (size_t i = 0; i < size && i < 9; i++)
		number = number * 10 + (attempt[i] - '0');
	if (size < 1 || size > 9 || strspn(attempt, "0123456789") != size)
		return failure_set(err, EXIT_USAGE, "usage", "--attempt: give the number that pep-cli status calls contacted");
	if (json_object_set_new(body, "attempt", json_integer(number)) != 0 ||
	    json_object_set_new(body, "gateway_read", json_boolean(session_has(session, "gateway-read"))) != 0 ||
	    json_object_set_new(body, "program_ended", json_boolean(session_has(session, "program-ended"))) != 0)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	return EXIT_OK;
}

int operate_run_resolve(struct session *session, struct failure *err)
{
	AUTO(free_json) json_t *body = NULL;
	int code = session_check(session, err);

	if (code == EXIT_OK)
		code = session_fields(session, &body, err);
	if (code == EXIT_OK)
		code = add_evidence(session, body, err);
	return code == EXIT_OK ? operate(session, "resolve", body, err) : code;
}

int operate_run_retire(struct session *session, struct failure *err)
{
	AUTO(free_json) json_t *body = NULL;
	int code = session_check(session, err);

	if (code == EXIT_OK)
		code = session_fields(session, &body, err);
	return code == EXIT_OK ? operate(session, "retire", body, err) : code;
}
