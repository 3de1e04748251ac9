/* SPDX-License-Identifier: Apache-2.0
 *
 * health.c - is the process alive, and can it do its work?
 */
#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/base/buffer.h"
#include "core/base/cleanup.h"
#include "core/base/log.h"
#include "core/service/audit.h"
#include "core/service/push.h"
#include "core/service/spool.h"
#include "core/service/vitals.h"

#include <time.h>

#define PAGE_LIMIT 262144u

static const char *const no_names[] = {NULL};

void api_healthz(void *context, struct http_request *request, struct http_reply *reply)
{
	(void)context;
	if (arguments_check(request, no_names, reply))
		reply_text(reply, 200, "ok\n");
}

static void write_time(struct buffer *json, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[32];
	struct tm parts;

	if (gmtime_r(&seconds, &parts) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts))
		buffer_json_text(json, text);
	else
		buffer_json_text(json, NULL);
}

static void write_push(struct buffer *json, const struct subscriber_report *report)
{
	static const char *const states[] = {
		[SUBSCRIBER_STARTING] = "starting", [SUBSCRIBER_OK] = "ok",           [SUBSCRIBER_FAILING] = "failing",
		[SUBSCRIBER_WAITING] = "waiting",   [SUBSCRIBER_STANDBY] = "standby",
	};

	buffer_text(json, "{\"name\":");
	buffer_json_text(json, report->name);
	buffer_format(json, ",\"state\":\"%s\",\"since\":", states[report->state]);
	write_time(json, report->since_ms);
	buffer_text(json, ",\"backlog\":");
	buffer_number(json, report->backlog);
	buffer_text(json, ",\"delivered\":");
	buffer_number(json, report->delivered);
	buffer_text(json, ",\"dead_letters\":");
	buffer_number(json, (int64_t)report->dead_letters);
	if (*report->error) {
		buffer_text(json, ",\"error\":");
		buffer_json_text(json, report->error);
	}
	buffer_byte(json, '}');
}

/* They say nothing of whether the server can provision: nothing there waits for them. */
static void write_pushes(struct buffer *json, struct push *push)
{
	size_t count = push_count(push);

	for (size_t i = 0; i < count; i++) {
		struct subscriber_report report;

		push_report(push, i, &report);
		buffer_text(json, i ? "," : ",\"push\":[");
		write_push(json, &report);
	}
	if (count)
		buffer_byte(json, ']');
}

/* Altered: the line goes on, but a person must look. */
static const char *audit_state(const struct audit_report *report)
{
	if (!report->is_well)
		return "unavailable";
	return report->is_altered ? "altered" : "ok";
}

void api_readyz(void *context, struct http_request *request, struct http_reply *reply)
{
	struct api_context *api = context;
	AUTO(buffer_fini) struct buffer json = {.limit = 0};
	struct audit_report audit;
	struct pep_error err = {0};
	pep_status status;
	const char *copy;
	bool is_ready;

	if (!arguments_check(request, no_names, reply))
		return;
	status = storage_ping(api->storage, &err);
	audit_report(api->audit, &audit);
	is_ready = status == PEP_OK && audit.is_well;
	/* The page is terse on purpose: why is not for everybody on the network. */
	if (status != PEP_OK)
		log_event(LOG_WARNING, "not ready: storage", LOG_TEXT("request_id", request->id), LOG_TEXT("error", err.message));
	buffer_init(&json, PAGE_LIMIT);
	buffer_format(&json,
		      "{\"ready\":%s,\"checks\":{\"storage\":\"%s\",\"spool\":\"%u waiting\",\"audit\":\"%s\",\"disk\":\"%s\"}",
		      is_ready ? "true" : "false", status == PEP_OK ? "ok" : "unavailable", spool_count(api->spool),
		      audit_state(&audit), vitals_disk_free(api->config->data_dir) >= VITALS_DISK_MIN ? "ok" : "low");
	write_pushes(&json, api->push);
	buffer_byte(&json, '}');
	copy = json.failed ? NULL : arena_copy(request->arena, json.data, json.size);
	if (!copy) {
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
		return;
	}
	reply_json(reply, is_ready ? 200 : 503, copy, json.size);
	if (!is_ready) {
		reply->error_code = "storage_unavailable";
		reply_retry_after(request, reply, 2);
	}
}
