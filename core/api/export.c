/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v3/export/{name}: the records of a range as one file, in the format of an exporter.
 */
#include "core/service/export.h"
#include "core/service/cursor.h"

#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/api/moment.h"
#include "core/base/identity.h"
#include "core/base/log.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TEXT_LIMIT 128u /* bytes of a category, and of a station */

static bool bad_argument(const struct http_request *request, struct http_reply *reply, const char *name, const char *detail)
{
	reply_problem(request, reply, 400, "bad_argument", name, "%s: %s", name, detail);
	return false;
}

/* Left out if it is empty, or if there is no memory for it: an export without a cursor is still right. */
static void reply_copied_header(const struct http_request *request, struct http_reply *reply, const char *name, const char *value)
{
	const char *copy = *value ? arena_format(request->arena, "%s", value) : NULL;

	if (copy)
		reply_header(reply, name, copy);
}

/* Of the functions below, false: the reply is filled. */
static bool read_state(const struct http_request *request, struct http_reply *reply, struct pep_scan_query *query)
{
	const char *text = arguments_value(request, "state");

	query->state = PEP_DEPLOYED;
	if (text)
		query->state = strcmp(text, "all") == 0 ? 0 : identity_state_from_name(text);
	if (query->state || text_equal(text, "all"))
		return true;
	return bad_argument(request, reply, "state",
			    "must be deployed, claimed, contacted, issued, failed, in_doubt, retired or all");
}

/* from <= deployed < to. Either one leaves out what was never deployed, whose time is 0. */
static bool read_range(const struct http_request *request, struct http_reply *reply, struct pep_scan_query *query)
{
	static const char how[] = "must be a date (2027-03-01), a time (2027-03-01T06:30:00Z) or milliseconds, 1970 to 9999";
	const char *from = arguments_value(request, "from");
	const char *to = arguments_value(request, "to");

	if (from && !moment_parse(from, &query->deployed_from_ms))
		return bad_argument(request, reply, "from", how);
	if (to && !moment_parse(to, &query->deployed_to_ms))
		return bad_argument(request, reply, "to", how);
	if ((from || to) && query->deployed_from_ms == 0)
		query->deployed_from_ms = 1;
	if (to && query->deployed_to_ms <= query->deployed_from_ms)
		return bad_argument(request, reply, "to", "must be later than from");
	return true;
}

static bool read_limit(const struct http_request *request, struct http_reply *reply, struct selection *selection)
{
	const char *text = arguments_value(request, "limit");
	int64_t limit = 0;

	if (text && !text_to_number(text, 1, UINT32_MAX, &limit))
		return bad_argument(request, reply, "limit", "must be a whole number from 1 to 4294967295");
	selection->limit = (uint32_t)limit;
	return true;
}

/* One of the texts of a record, as it was given. */
static bool read_text(const struct http_request *request, struct http_reply *reply, const char *name, const char **ret_text)
{
	*ret_text = arguments_value(request, name);
	if (!*ret_text || strlen(*ret_text) <= TEXT_LIMIT)
		return true;
	return bad_argument(request, reply, name, "is longer than any record has it (128 bytes)");
}

/* `last`: behind this record of the same walk. `since`: behind this cursor of an earlier one. */
static bool read_place(const struct http_request *request, struct http_reply *reply, const char **ret_after)
{
	const char *since, *last;

	if (!arguments_id(request, reply, "since", "the Pep-Cursor of an earlier export", &since) ||
	    !arguments_last(request, reply, &last))
		return false;
	*ret_after = !since || (last && strcmp(last, since) > 0) ? last : since;
	return true;
}

static bool read_selection(const struct http_request *request, struct http_reply *reply, struct selection *ret_selection)
{
	static const char *const names[] = {"state", "from", "to",    "category", "station",
					    "limit", "last", "since", "profile",  NULL};
	struct selection selection = {.query = {.struct_size = sizeof(selection.query), .brief = 1}};

	if (!arguments_check(request, names, reply) || !read_state(request, reply, &selection.query) ||
	    !read_range(request, reply, &selection.query) || !read_limit(request, reply, &selection) ||
	    !read_text(request, reply, "category", &selection.category) ||
	    !read_text(request, reply, "station", &selection.station) || !read_place(request, reply, &selection.query.after))
		return false;
	*ret_selection = selection;
	return true;
}

static bool read_profile(const struct http_request *request, struct http_reply *reply, const struct exporter *exporter,
			 const char **ret_profile)
{
	const char *profile = arguments_value(request, "profile");
	const char *const *profiles = exporter_profiles(exporter);
	const char *names = "";

	*ret_profile = profile;
	if (!profile)
		return true;
	for (size_t i = 0; profiles && profiles[i] && names; i++) {
		if (strcmp(profile, profiles[i]) == 0)
			return true;
		names = arena_format(request->arena, "%s%s%s", names, i ? ", " : "", profiles[i]);
	}
	if (!profiles)
		return bad_argument(request, reply, "profile", "this exporter has none");
	reply_problem(request, reply, 400, "bad_argument", "profile", "profile: this exporter has: %s", names ? names : "");
	return false;
}

static void reply_unknown_exporter(const struct api_context *api, const struct http_request *request, struct http_reply *reply)
{
	const char *names = "";

	for (size_t i = 0; i < api->exporter_count && names; i++)
		names = arena_format(request->arena, "%s%s%s", names, i ? ", " : "", exporter_name(api->exporters[i]));
	reply_problem(request, reply, 404, "not_found", NULL, "no exporter has this name; there are: %s", names ? names : "");
}

static void find_exporter(const struct api_context *api, const char *name, struct export_order *order)
{
	for (size_t i = 0; i < api->exporter_count && !order->exporter; i++) {
		if (strcmp(name, exporter_name(api->exporters[i])) != 0)
			continue;
		order->exporter = api->exporters[i];
		order->meters = api->export_meters ? &api->export_meters[i] : NULL;
	}
}

static void count_export(const struct export_order *order, pep_status status)
{
	if (order->meters)
		meters_count(status == PEP_OK ? &order->meters->begun : &order->meters->refused);
}

static void reply_failure(const struct http_request *request, struct http_reply *reply, pep_status status,
			  const struct pep_error *err)
{
	log_event(LOG_ERR, "export not begun", LOG_TEXT("request_id", request->id), LOG_NUMBER("status", status),
		  LOG_TEXT("error", err->message));
	if (status == PEP_INVALID) {
		reply_problem(request, reply, 422, "not_exportable", NULL, "%s", err->message);
		return;
	}
	if (status == PEP_UNAVAILABLE || status == PEP_TIMEOUT) {
		reply_problem(request, reply, 503, "storage_unavailable", NULL, "the store does not answer; try again");
		reply_retry_after(request, reply, 5);
		return;
	}
	reply_problem(request, reply, 500, "internal", NULL, "the export could not be made; the server's log says why");
}

/* The stream, and the headers that say how to go on. The cursor is of before the scan; what is cut off by `to`, or is the rest of a walk
 * that began elsewhere, has none. */
static pep_status begin(const struct api_context *api, const struct http_request *request, struct http_reply *reply,
			const struct export_order *order, struct pep_error *err)
{
	const struct pep_scan_query *query = &order->selection.query;
	struct export_start start = {0};
	char cursor[25] = "", count[24] = "", head[AUDIT_HEAD_SIZE];
	pep_status status = PEP_OK;

	if (query->state == PEP_DEPLOYED && !query->deployed_to_ms && !arguments_value(request, "last"))
		status = cursor_now(api->storage, api->config->lease_ms, cursor, err);
	if (status == PEP_OK)
		status = export_open(order, &start, err);
	if (status != PEP_OK)
		return status;
	reply->stream = start.stream;
	reply_copied_header(request, reply, "Pep-Cursor", cursor);
	reply_copied_header(request, reply, "Pep-Next", start.has_more ? start.next : "");
	if (start.count >= 0)
		(void)snprintf(count, sizeof(count), "%" PRId64, start.count);
	reply_copied_header(request, reply, "Pep-Records", count);
	audit_head_text(&start.head, head);
	reply_copied_header(request, reply, "Pep-Audit-Head", head);
	return PEP_OK;
}

void api_export(void *context, struct http_request *request, struct http_reply *reply)
{
	const struct api_context *api = context;
	struct export_order order = {.storage = api->storage,
				     .audit = api->audit,
				     .actor = request->actor,
				     .peer = request->peer,
				     .request_id = request->id};
	struct pep_error err = {0};
	const char *disposition;
	pep_status status = PEP_OK;

	find_exporter(api, request->tail, &order);
	if (!order.exporter) {
		reply_unknown_exporter(api, request, reply);
		return;
	}
	if (!read_selection(request, reply, &order.selection) || !read_profile(request, reply, order.exporter, &order.profile))
		return;
	disposition = arena_format(request->arena, "attachment; filename=\"identities.%s\"", exporter_suffix(order.exporter));
	if (!disposition)
		status = pep_fail(&err, PEP_NO_MEMORY, 0, "export: out of memory; try again");
	else if (request->method != HTTP_HEAD)
		status = begin(api, request, reply, &order, &err);
	if (request->method != HTTP_HEAD)
		count_export(&order, status);
	if (status != PEP_OK) {
		reply_failure(request, reply, status, &err);
		return;
	}
	reply->status = 200;
	reply->content_type = exporter_media_type(order.exporter);
	reply_header(reply, "Content-Disposition", disposition);
}
