/* SPDX-License-Identifier: Apache-2.0
 *
 * identity.c - provision one gateway: from a request to provision_identity(), and from its outcome to a reply.
 */
#include "core/api/api.h"
#include "core/api/body.h"
#include "core/api/fields.h"
#include "core/api/identity_json.h"
#include "core/api/provision_event.h"
#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/service/audit.h"
#include "core/service/journal.h"
#include "core/service/provision.h"

#include <strings.h>

#define IDENTITY_LIMIT 65536u

enum answer { ANSWER_IDENTITY, ANSWER_EXISTS, ANSWER_GATEWAY, ANSWER_PROBLEM };

/* One row per outcome: what the caller is told. The texts of the original are kept where it had one. */
struct outcome_reply {
	enum answer answer;
	const char *ended; /* how the attempt ended, for audit, metrics and dashboard; refused: by this server */
	unsigned status;
	const char *code, *detail; /* ANSWER_PROBLEM without detail: the outcome's own words */
	unsigned retry_after_s;    /* 0: none */
};
static const struct outcome_reply outcome_replies[] = {
	[PROVISION_DEPLOYED] = {ANSWER_IDENTITY, "deployed", 200, "deployed", NULL, 0},
	[PROVISION_REPLAYED] = {ANSWER_IDENTITY, "replayed", 200, "replayed", NULL, 0},
	[PROVISION_EXISTS] = {ANSWER_EXISTS, "refused", 409, "exists", NULL, 0},
	[PROVISION_MISMATCH] = {ANSWER_PROBLEM, "refused", 422, "idempotency_mismatch",
				"this Idempotency-Key was used for another serial number, or with other fields", 0},
	[PROVISION_NOT_EXPECTED] = {ANSWER_PROBLEM, "refused", 403, "not_expected", NULL, 0},
	[PROVISION_QUOTA] = {ANSWER_PROBLEM, "refused", 403, "quota", NULL, 0},
	[PROVISION_IN_PROGRESS] = {ANSWER_PROBLEM, "refused", 409, "in_progress", "somebody is provisioning this serial number now",
				   2},
	[PROVISION_ENDPOINT_BUSY] = {ANSWER_PROBLEM, "refused", 409, "endpoint_busy",
				     "the gateway at this ip and port is being provisioned for another serial number", 2},
	[PROVISION_UNREACHABLE] = {ANSWER_GATEWAY, "failed", 500, "gateway_unreachable", NULL, 0},
	[PROVISION_REFUSED] = {ANSWER_GATEWAY, "failed", 500, "gateway_refused", NULL, 0},
	[PROVISION_FAILED] = {ANSWER_GATEWAY, "failed", 500, "injector_failed", NULL, 0},
	[PROVISION_TIMEOUT] = {ANSWER_GATEWAY, "failed", 500, "injector_timeout", NULL, 0},
	[PROVISION_IN_DOUBT] = {ANSWER_GATEWAY, "in_doubt", 500, "in_doubt", NULL, 0},
	[PROVISION_STORAGE_UNAVAILABLE] = {ANSWER_PROBLEM, "not_done", 503, "storage_unavailable",
					   "the records cannot be reached now; the gateway got no identity; try again", 2},
	[PROVISION_RECORDED_LOCALLY] = {ANSWER_PROBLEM, "deployed", 503, "recorded_locally",
					"the gateway has its identity; it is kept on this server's disk and will be stored", 5},
	[PROVISION_UNRECORDED] = {ANSWER_PROBLEM, "in_doubt", 503, "storage_unavailable",
				  "the gateway has its identity, but neither the store nor the spool takes that it arrived", 5},
	[PROVISION_DRAINING] = {ANSWER_PROBLEM, "not_done", 503, "draining", "the server is stopping", 5},
	[PROVISION_NO_MEMORY] = {ANSWER_PROBLEM, "not_done", 503, "busy", "the server is out of memory now", 5},
};

static void reply_identity(const struct http_request *request, const struct provision_result *result, struct http_reply *reply)
{
	const char *server = identity_server(request->arena, result->identity);
	struct buffer json;

	buffer_init(&json, IDENTITY_LIMIT);
	identity_json(&json, result->identity, false);
	if (json.failed) {
		buffer_fini(&json);
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
		return;
	}
	reply_json(reply, 200, json.data, json.size);
	reply->free_body = json.data;
	reply_header(reply, "Pep-Replay", result->outcome == PROVISION_REPLAYED ? "1" : "0");
	if (server)
		reply_header(reply, "Pep-Server", server);
}

static void reply_gateway(const struct http_request *request, const struct provision_request *provision,
			  const struct provision_result *result, struct http_reply *reply)
{
	const struct outcome_reply *row = &outcome_replies[result->outcome];
	const char *text =
		arena_format(request->arena,
			     "Make sure you are running fcc-example on the gateway with ip=%s at port=%u. Also inspect the "
			     "pep-api-server logs to know more about this error - docker logs -f pep-api-server\n",
			     provision->target.ip, (unsigned)provision->target.port);
	const char *candidate = result->enrollment_id[0] ? arena_text(request->arena, result->enrollment_id) : NULL;

	reply_old_text(reply, row->status, row->code, text ? text : "");
	if (result->outcome == PROVISION_IN_DOUBT && candidate)
		reply_header(reply, "Pep-Enrollment-Id", candidate);
}

static void reply_outcome(const struct http_request *request, const struct provision_request *provision,
			  const struct provision_result *result, struct http_reply *reply)
{
	const struct outcome_reply *row = &outcome_replies[result->outcome];

	switch (row->answer) {
	case ANSWER_IDENTITY:
		reply_identity(request, result, reply);
		break;
	case ANSWER_EXISTS:
		reply_old_text(reply, row->status, row->code, "Identity with this serial number exists already!");
		break;
	case ANSWER_GATEWAY:
		reply_gateway(request, provision, result, reply);
		break;
	case ANSWER_PROBLEM:
	default:
		reply_problem(request, reply, row->status, row->code, NULL, "%s",
			      row->detail ? row->detail : result->error.message);
		break;
	}
	if (row->retry_after_s)
		reply_retry_after(request, reply, row->retry_after_s);
}

static void log_outcome(const struct http_request *request, const struct provision_request *provision,
			const struct provision_result *result)
{
	bool good = result->outcome == PROVISION_DEPLOYED;

	/* Answers without an injection are in the access log; they change nothing. */
	if (!good && outcome_replies[result->outcome].status < 500)
		return;
	log_event(good ? LOG_INFO : LOG_WARNING, good ? "gateway provisioned" : "gateway not provisioned",
		  LOG_TEXT("serial", provision->fields.serial), LOG_TEXT("result", outcome_replies[result->outcome].code),
		  LOG_TEXT("ip", provision->target.ip), LOG_NUMBER("port", provision->target.port),
		  LOG_TEXT("request_id", request->id), LOG_TEXT("enrollment", good ? result->identity->enrollment_id : NULL),
		  LOG_TEXT("error", good || !result->error.message[0] ? NULL : result->error.message),
		  LOG_NUMBER("ms", clock_boot_ms() - request->start_boot_ms));
}

/* For who looks on: the picture of the day, the metrics, and the audit. */
static void show_outcome(const struct api_context *api, const struct http_request *request,
			 const struct provision_request *provision, const struct provision_result *result)
{
	const struct outcome_reply *row = &outcome_replies[result->outcome];
	const struct journal_attempt attempt = {.at_ms = clock_wall_ms(),
						.serial = provision->fields.serial,
						.station = provision->fields.station,
						.outcome = row->ended,
						.code = row->code,
						.detail = result->error.message,
						.ms = clock_boot_ms() - request->start_boot_ms,
						.attempt = result->attempt};

	api_observe(api, &attempt);
	provision_event_record(api, request, provision, result, row->ended, row->code);
}

/* Absent, or one header with a fit value. Who sends a key counts on it, so an unfit one is refused. */
static bool take_key(const struct http_request *request, const char **ret_key, struct http_reply *reply)
{
	unsigned count = 0;

	*ret_key = request_header(request, "Idempotency-Key");
	for (size_t i = 0; i < request->header_count; i++)
		count += strcasecmp(request->headers[i].name, "Idempotency-Key") == 0;
	if (count > 1 || (*ret_key && !request_is_token(*ret_key))) {
		reply_problem(request, reply, 400, "bad_argument", "Idempotency-Key",
			      "Idempotency-Key should be one value of 1 to 64 letters, digits, dots, underscores and hyphens");
		return false;
	}
	return true;
}

/* The pairs that GET has in its query and POST in its body. */
static bool take_pairs(const struct http_request *request, struct http_pair **ret_pairs, size_t *ret_count,
		       struct http_reply *reply)
{
	if (request->method == HTTP_POST) {
		if (request->query_count) {
			reply_problem(request, reply, 400, "bad_request", NULL,
				      "POST takes its fields in the body, not in the query");
			return false;
		}
		return body_parse(request, ret_pairs, ret_count, reply);
	}
	if (request->body_size) {
		reply_problem(request, reply, 400, "bad_request", NULL,
			      "GET takes no body; send the fields as a query, or use POST");
		return false;
	}
	*ret_pairs = request->query;
	*ret_count = request->query_count;
	return true;
}

/* What could not be put on record is not begun. What ends while the disk is full is kept until it can be. */
static bool is_audited(const struct api_context *api, const struct http_request *request, struct http_reply *reply)
{
	struct audit_report report;

	audit_report(api->audit, &report);
	if (report.is_well)
		return true;
	reply_problem(request, reply, 503, "storage_unavailable", NULL,
		      "the audit cannot be written now; the gateway got no identity; try again");
	reply_retry_after(request, reply, 2);
	return false;
}

void api_identity(void *context, struct http_request *request, struct http_reply *reply)
{
	struct api_context *api = context;
	struct provision_request provision;
	struct provision_result result;
	struct http_pair *pairs = NULL;
	const char *key = NULL;
	size_t pair_count = 0;

	if (!take_pairs(request, &pairs, &pair_count, reply) || !take_key(request, &key, reply) ||
	    !fields_parse(api, request, pairs, pair_count, &provision, reply))
		return;
	if (!is_audited(api, request, reply))
		return;
	provision.fields.idempotency_key = key;
	provision_identity(api->provisioner, request->arena, &provision, &result);
	log_outcome(request, &provision, &result);
	show_outcome(api, request, &provision, &result);
	reply_outcome(request, &provision, &result, reply);
}
