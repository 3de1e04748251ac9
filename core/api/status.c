/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/status.h"

#include "core/api/arguments.h"
#include "core/base/clock.h"
#include "core/service/journal.h"
#include "core/service/provision.h"

static void write_server(const struct api_context *api, int64_t now_ms, struct buffer *json)
{
	buffer_text(json, "\"server\":{\"name\":");
	buffer_json_text(json, api->config->name);
	buffer_text(json, ",\"version\":\"" PEP_VERSION "\"");
	buffer_format(json, ",\"started_ms\":%lld,\"now_ms\":%lld,\"storage\":", (long long)api->started_ms, (long long)now_ms);
	buffer_json_text(json, storage_name(api->storage));
	buffer_text(json, ",\"injector\":");
	buffer_json_text(json, injector_name(api->provisioner->injector));
	buffer_text(json, ",\"exporters\":[");
	for (size_t i = 0; i < api->exporter_count; i++) {
		buffer_text(json, i ? "," : "");
		buffer_json_text(json, exporter_name(api->exporters[i]));
	}
	buffer_text(json, "]}");
}

void status_write(const struct api_context *api, struct buffer *json)
{
	int64_t now_ms = clock_wall_ms();

	buffer_byte(json, '{');
	write_server(api, now_ms, json);
	buffer_byte(json, ',');
	journal_write(api->journal, now_ms, json);
	buffer_text(json, ",\"queue\":null,\"orders\":[],\"checks\":[],\"authority\":{\"not_after_ms\":null}}");
}

void api_status(void *context, struct http_request *request, struct http_reply *reply)
{
	static const char *const no_names[] = {NULL};
	struct buffer json;

	if (!arguments_check(request, no_names, reply))
		return;
	buffer_init(&json, STATUS_LIMIT);
	status_write(context, &json);
	if (json.failed) {
		buffer_fini(&json);
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
		return;
	}
	reply_json(reply, 200, json.data, json.size);
	reply->free_body = json.data;
}
