/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/status.h"

#include "core/api/arguments.h"
#include "core/base/clock.h"
#include "core/http/traffic.h"
#include "core/service/journal.h"
#include "core/service/provision.h"
#include "core/service/vitals.h"

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

static void write_queue(const struct api_context *api, struct buffer *json)
{
	buffer_format(json, ",\"queue\":{\"running\":%u,\"running_limit\":%u,\"waiting\":%u,\"waiting_limit\":%u}",
		      atomic_load(&api->traffic->injecting), api->config->injections, atomic_load(&api->traffic->waiting),
		      api->config->injection_queue);
}

static void write_number(struct buffer *json, const char *name, const json_t *order)
{
	buffer_format(json, ",\"%s\":%lld", name, (long long)json_integer_value(json_object_get(order, name)));
}

static void write_orders(const struct api_context *api, struct buffer *json)
{
	json_t *orders = vitals_orders(api->vitals);
	json_t *order;
	size_t i;

	buffer_text(json, ",\"orders\":[");
	json_array_foreach(orders, i, order)
	{
		buffer_text(json, i ? ",{\"name\":" : "{\"name\":");
		buffer_json_text(json, json_string_value(json_object_get(order, "name")));
		buffer_text(json, ",\"customer\":");
		buffer_json_text(json, json_string_value(json_object_get(order, "customer")));
		write_number(json, "quantity", order);
		write_number(json, "done", order);
		write_number(json, "reserved", order);
		buffer_format(json, ",\"open\":%s}", json_is_true(json_object_get(order, "open")) ? "true" : "false");
	}
	buffer_byte(json, ']');
	json_decref(orders);
}

static void write_checks(const struct api_context *api, struct buffer *json)
{
	struct vitals_report report;

	vitals_report(api->vitals, &report);
	buffer_text(json, ",\"checks\":[");
	for (size_t i = 0; i < report.check_count; i++) {
		buffer_text(json, i ? ",{\"name\":" : "{\"name\":");
		buffer_json_text(json, report.checks[i].name);
		buffer_format(json, ",\"ok\":%s,\"detail\":", report.checks[i].is_ok ? "true" : "false");
		buffer_json_text(json, report.checks[i].detail);
		buffer_byte(json, '}');
	}
	if (report.authority_ms)
		buffer_format(json, "],\"authority\":{\"not_after_ms\":%lld}", (long long)report.authority_ms);
	else
		buffer_text(json, "],\"authority\":{\"not_after_ms\":null}");
}

void status_write(const struct api_context *api, struct buffer *json)
{
	int64_t now_ms = clock_wall_ms();

	buffer_byte(json, '{');
	write_server(api, now_ms, json);
	buffer_byte(json, ',');
	journal_write(api->journal, now_ms, json);
	write_queue(api, json);
	write_orders(api, json);
	write_checks(api, json);
	buffer_byte(json, '}');
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
