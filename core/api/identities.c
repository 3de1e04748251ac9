/* SPDX-License-Identifier: Apache-2.0
 *
 * identities.c - one serial: its whole record, and what an operator does to it.
 */
#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/api/record_json.h"
#include "core/api/trouble.h"
#include "core/base/cleanup.h"
#include "core/base/identity.h"
#include "core/base/text.h"
#include "core/service/grants.h"
#include "core/service/operate.h"

#include <string.h>

#define SERIAL_MAX 1024u /* a database that was taken over may hold longer ones than we make */
#define REASON_MAX GRANTS_REASON_MAX

static void drop_json(json_t **json)
{
	json_decref(*json);
}

/* --- GET --- */

static void reply_unknown(const struct http_request *request, struct http_reply *reply)
{
	reply_problem(request, reply, 404, "not_found", NULL, "nothing is known of this serial number");
}

static void show(const struct api_context *api, const struct http_request *request, struct http_reply *reply, const char *serial)
{
	static const char *const no_names[] = {NULL};
	const struct pep_identity *record = NULL;
	struct pep_error err = {0};
	json_t *grant = NULL;
	json_t *json;
	pep_status status;

	if (!arguments_check(request, no_names, reply))
		return;
	status = storage_get(api->storage, request->arena, serial, &record, &err);
	if (status == PEP_OK && record)
		status = grants_find(api->storage, serial, record->enrollment_id, &grant, &err);
	if (status != PEP_OK) {
		trouble_reply(request, reply, status, &err);
		return;
	}
	if (!record) {
		reply_unknown(request, reply);
		return;
	}
	json = record_json(record);
	if (grant && json && json_object_set_new(json, "grant", grant) != 0) {
		json_decref(json);
		json = NULL;
	}
	trouble_json(request, reply, 200, json);
}

/* --- POST .../grant --- */

/* What the operator wants to replace must be what is there. */
static bool is_grantable(const struct http_request *request, const struct pep_identity *record, const char *enrollment_id,
			 struct http_reply *reply)
{
	if (!record) {
		reply_unknown(request, reply);
		return false;
	}
	if (record->state != PEP_DEPLOYED && record->state != PEP_RETIRED) {
		reply_problem(
			request, reply, 409, "not_deployed", NULL,
			"it is %s: another attempt needs no grant, or is under way; only what is deployed or retired is replaced",
			identity_state_name(record->state));
		return false;
	}
	if (!text_equal(record->enrollment_id, enrollment_id)) {
		reply_problem(request, reply, 409, "other_enrollment_id", "enrollment_id",
			      "the gateway has another enrollment identity by now; look again what it is");
		return false;
	}
	return true;
}

static void grant(const struct api_context *api, const struct http_request *request, struct http_reply *reply, const char *serial)
{
	static const char *const names[] = {"reason", "enrollment_id", NULL};
	AUTO(drop_json) json_t *body = NULL;
	const struct pep_identity *record = NULL;
	struct grant it = {.serial = serial, .actor = request->actor, .request_id = request->id};
	struct pep_error err = {0};
	pep_status status;

	if (!trouble_body(request, names, &body, reply) ||
	    !(it.reason = trouble_text(request, body, "reason", REASON_MAX, reply)) ||
	    !(it.enrollment_id = trouble_text(request, body, "enrollment_id", 127, reply)))
		return;
	status = storage_get(api->storage, request->arena, serial, &record, &err);
	if (status == PEP_OK)
		status = storage_now(api->storage, &it.granted_ms, &err);
	if (status == PEP_OK && !storage_has_notes(api->storage))
		status = pep_fail(&err, PEP_UNSUPPORTED, 0, "storage \"%s\" keeps no notes, and so no grants",
				  storage_name(api->storage));
	if (status != PEP_OK) {
		trouble_reply(request, reply, status, &err);
		return;
	}
	if (!is_grantable(request, record, it.enrollment_id, reply) ||
	    !trouble_audit(api, request,
			   json_pack("{ss,ss,ss,ss}", "event", "grant", "serial", serial, "enrollment_id", it.enrollment_id,
				     "reason", it.reason),
			   reply))
		return;
	status = grants_put(api->storage, &it, &err);
	if (status == PEP_OK)
		trouble_json(request, reply, 200,
			     json_pack("{ss,ss,ss}", "serial", serial, "enrollment_id", it.enrollment_id, "reason", it.reason));
	else
		trouble_reply(request, reply, status, &err);
}

/* --- POST .../resolve, .../retire --- */

/* What is left to say of a move that was not made; `record` may be NULL. */
static void reply_verdict(const struct http_request *request, struct http_reply *reply, enum machine_verdict verdict,
			  const struct pep_identity *record, uint32_t attempt)
{
	if (!record)
		reply_unknown(request, reply);
	else if (verdict == MACHINE_WRITE)
		trouble_json(request, reply, 200, record_json(record));
	else if (verdict == MACHINE_ALREADY)
		reply_problem(request, reply, 409, "already", NULL, "it is %s already", identity_state_name(record->state));
	else if (verdict == MACHINE_IN_PROGRESS)
		reply_problem(request, reply, 409, "in_progress", NULL, "somebody is provisioning this serial number now");
	else if (record->state != PEP_IN_DOUBT)
		reply_problem(request, reply, 409, "not_in_doubt", NULL, "it is %s: there is nothing to resolve",
			      identity_state_name(record->state));
	else if (record->contacted != attempt)
		reply_problem(request, reply, 409, "other_attempt", "attempt",
			      "attempt %u is in doubt, not %u; look again what the gateway holds", (unsigned)record->contacted,
			      (unsigned)attempt);
	else
		reply_problem(
			request, reply, 422, "evidence", NULL,
			"that is not enough: deployed needs the enrollment identity that the gateway holds, if the record has no "
			"candidate; failed needs that the gateway was read, does not hold the candidate, and its factory program "
			"has ended");
}

static bool take_evidence(const struct http_request *request, const json_t *body, struct machine_resolve *event,
			  struct http_reply *reply)
{
	const json_t *attempt = json_object_get(body, "attempt");
	const json_t *read = json_object_get(body, "enrollment_id");
	const char *outcome = json_string_value(json_object_get(body, "outcome"));
	const char *reason = trouble_text(request, body, "reason", REASON_MAX, reply);

	if (!reason || (read && !(event->enrollment_id = trouble_text(request, body, "enrollment_id", 127, reply))))
		return false;
	if (!json_is_integer(attempt) || json_integer_value(attempt) < 1 || json_integer_value(attempt) > UINT32_MAX) {
		reply_problem(request, reply, 400, "bad_argument", "attempt",
			      "attempt should be the number of the attempt in doubt");
		return false;
	}
	if (!text_equal(outcome, "deployed") && !text_equal(outcome, "failed")) {
		reply_problem(request, reply, 400, "bad_argument", "outcome", "outcome should be deployed or failed");
		return false;
	}
	event->attempt = (uint32_t)json_integer_value(attempt);
	event->deployed = text_equal(outcome, "deployed");
	event->gateway_read = json_is_true(json_object_get(body, "gateway_read"));
	event->program_ended = json_is_true(json_object_get(body, "program_ended"));
	event->reason = arena_format(request->arena, "resolved: by %.64s: %s", request->actor, reason);
	if (!event->reason)
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
	return event->reason != NULL;
}

static json_t *resolve_event(const char *serial, const struct machine_resolve *event)
{
	return json_pack("{ss,ss,sI,ss,ss*,sb,sb,ss}", "event", "resolve", "serial", serial, "attempt", (json_int_t)event->attempt,
			 "outcome", event->deployed ? "deployed" : "failed", "enrollment_id", event->enrollment_id, "gateway_read",
			 (int)event->gateway_read, "program_ended", (int)event->program_ended, "reason", event->reason);
}

static void resolve(const struct api_context *api, const struct http_request *request, struct http_reply *reply, const char *serial)
{
	static const char *const names[] = {"attempt", "outcome", "gateway_read", "program_ended", "enrollment_id", "reason", NULL};
	AUTO(drop_json) json_t *body = NULL;
	struct operate_resolve it = {.serial = serial, .is_rehearsal = true};
	enum machine_verdict verdict = MACHINE_REFUSED;
	const struct pep_identity *record = NULL;
	struct pep_error err = {0};
	pep_status status;

	if (!trouble_body(request, names, &body, reply) || !take_evidence(request, body, &it.event, reply))
		return;
	status = operate_resolve(api->provisioner, request->arena, &it, &verdict, &record, &err);
	if (status == PEP_OK && verdict == MACHINE_WRITE) {
		if (!trouble_audit(api, request, resolve_event(serial, &it.event), reply))
			return;
		it.is_rehearsal = false;
		/* The attempt has used up its grant, which must not fit again if the gateway still has what it was to replace. */
		status = grants_drop(api->storage, serial, &err);
		if (status == PEP_OK)
			status = operate_resolve(api->provisioner, request->arena, &it, &verdict, &record, &err);
	}
	if (status == PEP_CONFLICT)
		reply_problem(request, reply, 409, "id_taken", "enrollment_id",
			      "another serial number has this enrollment identity");
	else if (status != PEP_OK)
		trouble_reply(request, reply, status, &err);
	else
		reply_verdict(request, reply, verdict, record, it.event.attempt);
}

static void retire(const struct api_context *api, const struct http_request *request, struct http_reply *reply, const char *serial)
{
	static const char *const names[] = {"reason", NULL};
	AUTO(drop_json) json_t *body = NULL;
	struct operate_retire it = {.serial = serial, .is_rehearsal = true};
	enum machine_verdict verdict = MACHINE_REFUSED;
	const struct pep_identity *record = NULL;
	struct pep_error err = {0};
	const char *reason;
	pep_status status;

	if (!trouble_body(request, names, &body, reply) || !(reason = trouble_text(request, body, "reason", REASON_MAX, reply)))
		return;
	it.reason = arena_format(request->arena, "retired: by %.64s: %s", request->actor, reason);
	status = it.reason ? operate_retire(api->provisioner, request->arena, &it, &verdict, &record, &err)
			   : pep_fail(&err, PEP_NO_MEMORY, 0, "out of memory");
	if (status == PEP_OK && verdict == MACHINE_WRITE) {
		if (!trouble_audit(api, request, json_pack("{ss,ss,ss}", "event", "retire", "serial", serial, "reason", reason),
				   reply))
			return;
		it.is_rehearsal = false;
		/* What was granted before was meant for a gateway in service. */
		status = grants_drop(api->storage, serial, &err);
		if (status == PEP_OK)
			status = operate_retire(api->provisioner, request->arena, &it, &verdict, &record, &err);
	}
	if (status != PEP_OK)
		trouble_reply(request, reply, status, &err);
	else
		reply_verdict(request, reply, verdict, record, 0);
}

/* --- the path --- */

/* A slash in a serial number is %2F in a path, and stays so until here. NULL: out of memory. */
static const char *decode(struct arena *arena, const char *tail, size_t size)
{
	char *text = arena_copy(arena, tail, size);
	char *to = text;

	for (const char *from = text; from && *from; from++) {
		bool is_slash = from[0] == '%' && from[1] == '2' && (from[2] == 'F' || from[2] == 'f');

		*to++ = is_slash ? '/' : *from;
		from += is_slash ? 2 : 0;
	}
	if (to)
		*to = '\0';
	return text;
}

static void act(const struct api_context *api, const struct http_request *request, struct http_reply *reply, const char *serial,
		const char *verb)
{
	if (request->query_count)
		reply_problem(request, reply, 400, "bad_request", NULL, "this takes its members in the body, not in the query");
	else if (text_equal(verb, "grant"))
		grant(api, request, reply, serial);
	else if (text_equal(verb, "resolve"))
		resolve(api, request, reply, serial);
	else if (text_equal(verb, "retire"))
		retire(api, request, reply, serial);
	else
		reply_problem(request, reply, 404, "no_such_path", NULL,
			      "there are grant, resolve and retire below a serial number");
}

void api_identities(void *context, struct http_request *request, struct http_reply *reply)
{
	struct api_context *api = context;
	const char *slash = strchr(request->tail, '/');
	const char *serial = decode(request->arena, request->tail, slash ? (size_t)(slash - request->tail) : strlen(request->tail));

	if (!serial) {
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
		return;
	}
	reply->serial = serial;
	if (!*serial || strlen(serial) > SERIAL_MAX)
		reply_unknown(request, reply);
	else if (request->method == HTTP_POST)
		act(api, request, reply, serial, slash ? slash + 1 : NULL);
	else if (slash && text_equal(slash + 1, "events"))
		api_identity_events(api, request, reply, serial);
	else if (slash)
		reply_problem(request, reply, 405, "method_not_allowed", NULL, "this path is for POST only");
	else
		show(api, request, reply, serial);
}
