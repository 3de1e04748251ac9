/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics.c - what Prometheus scrapes: its text format 0.0.4. docs/metrics.md explains each series; never a label by serial.
 */
#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/base/buffer.h"
#include "core/base/identity.h"
#include "core/base/log.h"
#include "core/base/version.h"
#include "core/http/broadcast.h"
#include "core/http/traffic.h"
#include "core/service/meters.h"
#include "core/service/provision.h"
#include "core/service/push.h"
#include "core/service/spool.h"
#include "core/service/vitals.h"

#define PAGE_LIMIT ((size_t)4 * 1024 * 1024)

static void family(struct buffer *text, const char *name, const char *type, const char *help)
{
	buffer_format(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Backslash, quote and line feed are escaped; there is nothing else that a label may not hold. */
static void label(struct buffer *text, char before, const char *name, const char *value)
{
	buffer_format(text, "%c%s=\"", before, name);
	for (; value && *value; value++) {
		if (*value == '\\' || *value == '"')
			buffer_byte(text, '\\');
		if (*value == '\n')
			buffer_text(text, "\\n");
		else
			buffer_byte(text, *value);
	}
	buffer_byte(text, '"');
}

static void value(struct buffer *text, int64_t number)
{
	buffer_byte(text, ' ');
	buffer_number(text, number);
	buffer_byte(text, '\n');
}

static void end_labels(struct buffer *text, int64_t number)
{
	buffer_byte(text, '}');
	value(text, number);
}

static void single(struct buffer *text, const char *name, const char *type, const char *help, int64_t number)
{
	family(text, name, type, help);
	buffer_text(text, name);
	value(text, number);
}

static void seconds(struct buffer *text, int64_t ms)
{
	buffer_format(text, "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000));
}

static void write_build(struct buffer *text, const struct api_context *api)
{
	family(text, "pep_build_info", "gauge", "Which program this is; always 1.");
	buffer_text(text, "pep_build_info");
	label(text, '{', "version", PEP_VERSION);
	label(text, ',', "commit", version_commit());
	label(text, ',', "storage", storage_name(api->storage));
	label(text, ',', "injector", injector_name(api->provisioner->injector));
	end_labels(text, 1);
	family(text, "pep_start_time_seconds", "gauge", "When the server was started, in seconds since 1970.");
	buffer_text(text, "pep_start_time_seconds ");
	seconds(text, api->started_ms);
	buffer_byte(text, '\n');
}

static void write_endings(struct buffer *text, const struct api_context *api)
{
	family(text, "pep_injections_total", "counter", "Requests for an identity, by how they ended and why.");
	for (size_t i = 0; meters_endings[i].result; i++) {
		buffer_text(text, "pep_injections_total");
		label(text, '{', "injector", injector_name(api->provisioner->injector));
		label(text, ',', "result", meters_endings[i].result);
		label(text, ',', "reason", meters_endings[i].reason);
		end_labels(text, (int64_t)meters_read(&api->meters->endings[i]));
	}
}

static void write_times(struct buffer *text, const struct meters *meters)
{
	uint64_t count = 0;

	family(text, "pep_injection_seconds", "histogram", "From request to answer, of those that were at a gateway.");
	for (size_t i = 0; i < METERS_BUCKETS; i++) {
		count += meters_read(&meters->buckets[i]);
		buffer_text(text, "pep_injection_seconds_bucket{le=\"");
		seconds(text, meters_bounds_ms[i]);
		buffer_text(text, "\"");
		end_labels(text, (int64_t)count);
	}
	count += meters_read(&meters->buckets[METERS_BUCKETS]);
	buffer_text(text, "pep_injection_seconds_bucket{le=\"+Inf\"");
	end_labels(text, (int64_t)count);
	buffer_text(text, "pep_injection_seconds_sum ");
	seconds(text, (int64_t)meters_read(&meters->sum_ms));
	buffer_text(text, "\npep_injection_seconds_count");
	value(text, (int64_t)count);
}

static void write_queue(struct buffer *text, const struct api_context *api)
{
	single(text, "pep_inflight", "gauge", "Injections that are under way.", atomic_load(&api->traffic->injecting));
	single(text, "pep_inflight_limit", "gauge", "Injections that may be under way at the same time.", api->config->injections);
	single(text, "pep_queue_depth", "gauge", "Requests that wait for their turn to be provisioned.",
	       atomic_load(&api->traffic->waiting));
	single(text, "pep_queue_limit", "gauge", "Requests that may wait; more are refused with busy.",
	       api->config->injection_queue);
}

static void write_units(struct buffer *text, const struct vitals_report *report)
{
	if (!report->has_units)
		return;
	family(text, "pep_units", "gauge", "Records in the store by state; left out while the store is away.");
	for (uint32_t state = PEP_CLAIMED; state <= PEP_RETIRED; state++) {
		buffer_text(text, "pep_units");
		label(text, '{', "state", identity_state_name(state));
		end_labels(text, report->units[state]);
	}
}

static void write_orders(struct buffer *text, const struct api_context *api)
{
	json_t *orders = vitals_orders(api->vitals);
	json_t *order;
	size_t i;

	if (json_array_size(orders))
		family(text, "pep_order_remaining", "gauge", "Units that an open order still expects.");
	json_array_foreach(orders, i, order)
	{
		buffer_text(text, "pep_order_remaining");
		label(text, '{', "order", json_string_value(json_object_get(order, "name")));
		end_labels(text, json_integer_value(json_object_get(order, "quantity")) -
					 json_integer_value(json_object_get(order, "done")));
	}
	json_decref(orders);
}

static void write_checks(struct buffer *text, const struct vitals_report *report)
{
	family(text, "pep_check_ok", "gauge", "What the server needs, looked at every other second: 1 all is well, 0 it is not.");
	for (size_t i = 0; i < report->check_count; i++) {
		buffer_text(text, "pep_check_ok");
		label(text, '{', "check", report->checks[i].name);
		end_labels(text, report->checks[i].is_ok);
	}
	if (report->authority_ms || report->tls_ms)
		family(text, "pep_ca_not_after_seconds", "gauge",
		       "When a certificate ends, in seconds since 1970: injector signs gateways, tls is the server's own.");
	if (report->authority_ms)
		buffer_format(text, "pep_ca_not_after_seconds{certificate=\"injector\"} %lld\n",
			      (long long)(report->authority_ms / 1000));
	if (report->tls_ms)
		buffer_format(text, "pep_ca_not_after_seconds{certificate=\"tls\"} %lld\n", (long long)(report->tls_ms / 1000));
}

static void write_requests(struct buffer *text, const struct api_context *api)
{
	static const char *const classes[TRAFFIC_CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
	size_t count = 0;

	while (api->routes[count].path)
		count++;
	family(text, "pep_http_requests_total", "counter",
	       "HTTP requests by route and class of status; none: gone before an answer.");
	for (size_t i = 0; i <= count; i++) {
		size_t row = i < count && i < TRAFFIC_ROUTES ? i : TRAFFIC_ROUTES;

		for (size_t class = 0; class < TRAFFIC_CLASSES; class ++) {
			uint64_t number = meters_read(&api->traffic->requests[row][class]);

			if (!number)
				continue;
			buffer_text(text, "pep_http_requests_total");
			label(text, '{', "route", i < count ? api->routes[i].path : "other");
			label(text, ',', "status", classes[class]);
			end_labels(text, (int64_t)number);
		}
	}
	single(text, "pep_event_clients", "gauge", "Who watches /events.", broadcast_count(api->broadcast));
}

static int64_t push_number(const struct subscriber_report *report, unsigned which)
{
	switch (which) {
	case 0:
		return report->delivered;
	case 1:
		return report->state == SUBSCRIBER_FAILING || report->state == SUBSCRIBER_WAITING;
	case 2:
		return report->backlog;
	default:
		return (int64_t)report->dead_letters;
	}
}

static void write_pushes(struct buffer *text, struct push *push)
{
	static const struct {
		const char *name, *type, *help;
	} families[] = {
		{"pep_push_delivered_total", "counter", "Identities that a subscriber was told of."},
		{"pep_push_failing", "gauge", "1 while a subscriber or its records cannot be reached."},
		{"pep_push_backlog", "gauge", "Identities that a subscriber was not told of yet; counted to 10000."},
		{"pep_push_dead_letters", "gauge", "Identities that a subscriber has refused for good."},
	};

	for (unsigned which = 0; push && which < 4; which++) {
		family(text, families[which].name, families[which].type, families[which].help);
		for (size_t i = 0; i < push_count(push); i++) {
			struct subscriber_report report;

			push_report(push, i, &report);
			buffer_text(text, families[which].name);
			label(text, '{', "subscriber", report.name);
			end_labels(text, push_number(&report, which));
		}
	}
}

static void write_exports(struct buffer *text, const struct api_context *api)
{
	static const char *const results[] = {"begun", "refused", "broken"};

	if (!api->exporter_count)
		return;
	family(text, "pep_exports_total", "counter", "Exports that were begun; that could not be begun; that broke off under way.");
	for (size_t i = 0; i < api->exporter_count; i++) {
		const struct meters_export *meters = &api->export_meters[i];
		const _Atomic(uint64_t) *counters[] = {&meters->begun, &meters->refused, &meters->broken};

		for (size_t which = 0; which < 3; which++) {
			buffer_text(text, "pep_exports_total");
			label(text, '{', "exporter", exporter_name(api->exporters[i]));
			label(text, ',', "result", results[which]);
			end_labels(text, (int64_t)meters_read(counters[which]));
		}
	}
}

static void write_all(struct buffer *text, const struct api_context *api)
{
	struct vitals_report report;

	vitals_report(api->vitals, &report);
	write_build(text, api);
	write_endings(text, api);
	write_times(text, api->meters);
	write_queue(text, api);
	write_units(text, &report);
	write_orders(text, api);
	write_checks(text, &report);
	write_requests(text, api);
	write_pushes(text, api->push);
	write_exports(text, api);
	single(text, "pep_spool_entries", "gauge", "Delivered outcomes that the store has not taken yet.", spool_count(api->spool));
	single(text, "pep_log_dropped_total", "counter", "Lines of the log that could not be written.", (int64_t)log_dropped());
}

void api_metrics(void *context, struct http_request *request, struct http_reply *reply)
{
	static const char *const no_names[] = {NULL};
	struct buffer text;

	if (!arguments_check(request, no_names, reply))
		return;
	buffer_init(&text, PAGE_LIMIT);
	write_all(&text, context);
	if (text.failed) {
		buffer_fini(&text);
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
		return;
	}
	reply->status = 200;
	reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
	reply->body = text.data;
	reply->body_size = text.size;
	reply->free_body = text.data;
}
