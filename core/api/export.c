/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v3/export/{name}: the records of a range as one file, in the format of an exporter.
 */
#include "core/service/export.h"

#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/api/moment.h"
#include "core/base/identity.h"
#include "core/base/log.h"
#include "core/base/text.h"

#include <string.h>

static bool bad_argument(const struct http_request *request, struct http_reply *reply, const char *name, const char *detail)
{
	reply_problem(request, reply, 400, "bad_argument", name, "%s: %s", name, detail);
	return false;
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

static bool read_limit(const struct http_request *request, struct http_reply *reply, struct pep_scan_query *query)
{
	const char *text = arguments_value(request, "limit");
	int64_t limit = 0;

	if (text && !text_to_number(text, 1, UINT32_MAX, &limit))
		return bad_argument(request, reply, "limit", "must be a whole number from 1 to 4294967295");
	query->limit = (uint32_t)limit;
	return true;
}

static bool read_query(const struct http_request *request, struct http_reply *reply, struct pep_scan_query *ret_query)
{
	static const char *const names[] = {"state", "from", "to", "limit", "last", NULL};
	struct pep_scan_query query = {.struct_size = sizeof(query), .brief = 1};

	if (!arguments_check(request, names, reply) || !read_state(request, reply, &query) || !read_range(request, reply, &query) ||
	    !read_limit(request, reply, &query) || !arguments_last(request, reply, &query.after))
		return false;
	*ret_query = query;
	return true;
}

static void reply_unknown_exporter(const struct api_context *api, const struct http_request *request, struct http_reply *reply)
{
	const char *names = "";

	for (size_t i = 0; i < api->exporter_count && names; i++)
		names = arena_format(request->arena, "%s%s%s", names, i ? ", " : "", exporter_name(api->exporters[i]));
	reply_problem(request, reply, 404, "not_found", NULL, "no exporter has this name; there are: %s", names ? names : "");
}

static struct exporter *find_exporter(const struct api_context *api, const char *name)
{
	for (size_t i = 0; i < api->exporter_count; i++)
		if (strcmp(name, exporter_name(api->exporters[i])) == 0)
			return api->exporters[i];
	return NULL;
}

static void reply_failure(const struct http_request *request, struct http_reply *reply, pep_status status,
			  const struct pep_error *err)
{
	log_event(LOG_ERR, "export not begun", LOG_TEXT("request_id", request->id), LOG_NUMBER("status", status),
		  LOG_TEXT("error", err->message));
	if (status == PEP_UNAVAILABLE || status == PEP_TIMEOUT) {
		reply_problem(request, reply, 503, "storage_unavailable", NULL, "the store does not answer; try again");
		reply_retry_after(request, reply, 5);
		return;
	}
	reply_problem(request, reply, 500, "internal", NULL, "the export could not be made; the server's log says why");
}

void api_export(void *context, struct http_request *request, struct http_reply *reply)
{
	const struct api_context *api = context;
	struct exporter *exporter = find_exporter(api, request->tail);
	struct pep_scan_query query;
	struct pep_error err = {0};
	const char *disposition;
	pep_status status = PEP_OK;

	if (!exporter) {
		reply_unknown_exporter(api, request, reply);
		return;
	}
	if (!read_query(request, reply, &query))
		return;
	disposition = arena_format(request->arena, "attachment; filename=\"identities.%s\"", exporter_suffix(exporter));
	if (!disposition)
		status = pep_fail(&err, PEP_NO_MEMORY, 0, "export: out of memory; try again");
	else if (request->method != HTTP_HEAD)
		status = export_open(api->storage, exporter, &query, request->id, &reply->stream, &err);
	if (status != PEP_OK) {
		reply_failure(request, reply, status, &err);
		return;
	}
	reply->status = 200;
	reply->content_type = exporter_media_type(exporter);
	reply_header(reply, "Content-Disposition", disposition);
}
