/* SPDX-License-Identifier: Apache-2.0
 *
 * health.c - is the process alive, and can it do its work?
 */
#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/base/log.h"
#include "core/service/spool.h"

#include <string.h>

static const char *const no_names[] = {NULL};

void api_healthz(void *context, struct http_request *request, struct http_reply *reply)
{
	(void)context;
	if (arguments_check(request, no_names, reply))
		reply_text(reply, 200, "ok\n");
}

void api_readyz(void *context, struct http_request *request, struct http_reply *reply)
{
	struct api_context *api = context;
	struct pep_error err = {0};
	pep_status status;
	const char *json;

	if (!arguments_check(request, no_names, reply))
		return;
	status = storage_ping(api->storage, &err);
	/* The page is terse on purpose: why is not for everybody on the network. */
	if (status != PEP_OK)
		log_event(LOG_WARNING, "not ready: storage", LOG_TEXT("request_id", request->id), LOG_TEXT("error", err.message));
	json = arena_format(request->arena, "{\"ready\":%s,\"checks\":{\"storage\":\"%s\",\"spool\":\"%u waiting\"}}",
			    status == PEP_OK ? "true" : "false", status == PEP_OK ? "ok" : "unavailable", spool_count(api->spool));
	if (!json) {
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
		return;
	}
	reply_json(reply, status == PEP_OK ? 200 : 503, json, strlen(json));
	if (status != PEP_OK) {
		reply->error_code = "storage_unavailable";
		reply_retry_after(request, reply, 2);
	}
}
