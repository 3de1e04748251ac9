/* SPDX-License-Identifier: Apache-2.0
 *
 * enrollment.c - what is known of a deployed serial, and the list of them all.
 */
#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/api/identity_json.h"
#include "core/base/buffer.h"
#include "core/base/log.h"
#include "core/base/text.h"

#include <string.h>
#include <strings.h>

#define SERIAL_LIMIT 1024u /* a database that was taken over may hold longer ones than we make */
#define LIST_DEFAULT 50u
#define LIST_LIMIT 1000u
#define PAGE_LIMIT (64u << 20) /* bytes of one page: far more than LIST_LIMIT records can be */

static void storage_problem(const struct http_request *request, struct http_reply *reply, pep_status status,
			    const struct pep_error *err)
{
	log_event(LOG_ERR, "storage does not answer", LOG_TEXT("request_id", request->id), LOG_TEXT("error", err->message));
	if (status == PEP_NO_MEMORY || status == PEP_INTERNAL) {
		reply_problem(request, reply, 500, "internal", NULL, "the server has an inner problem; its log tells more");
		return;
	}
	reply_problem(request, reply, 503, "storage_unavailable", NULL, "the records cannot be reached now; try again");
	reply_retry_after(request, reply, 2);
}

/* --- one serial --- */

static pep_status find(struct api_context *api, struct arena *arena, const char *serial, size_t member, const char **ret_value,
		       const char **ret_server, bool *ret_found, struct pep_error *err)
{
	struct pep_scan_query query = {.struct_size = sizeof(query), .limit = 1, .serial = serial};
	const struct pep_identity *id = NULL;
	struct storage_scan *scan;
	pep_status status = storage_scan_open(api->storage, &query, &scan, err);

	if (status != PEP_OK)
		return status;
	status = storage_scan_next(scan, &id, err);
	*ret_found = status == PEP_OK && id && id->state == PEP_DEPLOYED;
	if (*ret_found) {
		const char *value;

		memcpy(&value, (const char *)id + member, sizeof(value));
		*ret_value = arena_text(arena, value ? value : "");
		*ret_server = identity_server(arena, id);
		if (!*ret_value)
			status = pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	storage_scan_close(scan);
	return status;
}

/* The bare value of one member of a deployed record. */
static void lookup(struct api_context *api, const struct http_request *request, struct http_reply *reply, size_t member)
{
	static const char *const names[] = {"serialNumber", NULL};
	const char *value = NULL;
	const char *server = NULL;
	const char *serial;
	struct pep_error err = {0};
	bool found = false;
	pep_status status;

	if (!arguments_check(request, names, reply))
		return;
	serial = arguments_value(request, "serialNumber");
	if (!serial || strlen(serial) > SERIAL_LIMIT) {
		reply_problem(request, reply, 400, "bad_argument", "serialNumber", "name the serial number, at most %u bytes",
			      SERIAL_LIMIT);
		return;
	}
	reply->serial = serial;
	status = find(api, request->arena, serial, member, &value, &server, &found, &err);
	if (status != PEP_OK)
		storage_problem(request, reply, status, &err);
	else if (found)
		reply_text(reply, 200, value);
	else
		reply_old_text(reply, 404, "not_found", "Not found!");
	if (status == PEP_OK && server)
		reply_header(reply, "Pep-Server", server);
}

void api_enrollment_id(void *context, struct http_request *request, struct http_reply *reply)
{
	lookup(context, request, reply, offsetof(struct pep_identity, enrollment_id));
}

void api_verification_key(void *context, struct http_request *request, struct http_reply *reply)
{
	lookup(context, request, reply, offsetof(struct pep_identity, verification_key));
}

/* --- the list --- */

struct list_query {
	unsigned limit;
	bool descending;
	const char *order; /* as it came */
	const char *last;  /* in lower case; NULL: from the start */
};

/* 1 to LIST_LIMIT; a larger number counts as LIST_LIMIT, however many digits it has. */
static bool parse_limit(const char *text, unsigned *ret_limit)
{
	size_t size = strlen(text);
	int64_t number = LIST_LIMIT;

	if (text[0] == '0' || strspn(text, "0123456789") != size)
		return false;
	if (size <= 4 && !text_to_number(text, 1, 9999, &number))
		return false;
	*ret_limit = number > LIST_LIMIT ? LIST_LIMIT : (unsigned)number;
	return true;
}

static bool parse_list(const struct http_request *request, struct http_reply *reply, struct list_query *ret_query)
{
	static const char *const names[] = {"limit", "order", "last", NULL};
	const char *limit;
	const char *order;

	if (!arguments_check(request, names, reply))
		return false;
	limit = arguments_value(request, "limit");
	order = arguments_value(request, "order");
	*ret_query = (struct list_query){.limit = LIST_DEFAULT, .descending = true, .order = order ? order : "DESC"};
	if (limit && !parse_limit(limit, &ret_query->limit)) {
		reply_problem(request, reply, 400, "bad_argument", "limit", "limit is a whole number from 1 to %u", LIST_LIMIT);
		return false;
	}
	if (order && strcasecmp(order, "ASC") != 0 && strcasecmp(order, "DESC") != 0) {
		reply_problem(request, reply, 400, "bad_argument", "order", "order is ASC or DESC");
		return false;
	}
	ret_query->descending = !order || strcasecmp(order, "DESC") == 0;
	return arguments_last(request, reply, &ret_query->last);
}

/* Percent-encode what is not unreserved (RFC 3986). */
static void append_encoded(struct buffer *buffer, const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if ((byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z') || strchr("-._~", byte))
			buffer_byte(buffer, (char)byte);
		else
			buffer_format(buffer, "%%%02X", byte);
	}
}

/* The link to this page, or with `last` to the one behind it: the arguments as they came, `last` replaced. */
static void append_link(struct buffer *json, const struct http_request *request, const char *last)
{
	char separator = '?';

	buffer_text(json, request->prefixed ? "{\"href\":\"/v3/enrollment-ids" : "{\"href\":\"/enrollment-ids");
	for (size_t i = 0; i < request->query_count; i++) {
		const struct http_pair *pair = &request->query[i];

		if (last && strcmp(pair->name, "last") == 0)
			continue;
		buffer_byte(json, separator);
		buffer_text(json, pair->name);
		buffer_byte(json, '=');
		append_encoded(json, pair->value);
		separator = '&';
	}
	if (last)
		buffer_format(json, "%clast=%s", separator, last);
	buffer_text(json, "\"}");
}

/* The results of one page. *ret_last: the _id of the last of them, if more follows. */
static pep_status append_results(struct api_context *api, struct arena *arena, const struct list_query *list,
				 struct buffer *results, unsigned *ret_count, const char **ret_last, struct pep_error *err)
{
	struct pep_scan_query query = {.struct_size = sizeof(query),
				       .limit = list->limit + 1, /* one more tells whether there is a next page */
				       .state = PEP_DEPLOYED,
				       .brief = 1,
				       .descending = list->descending,
				       .after = list->last};
	char last[25] = "";
	const struct pep_identity *id = NULL;
	struct storage_scan *scan;
	unsigned count = 0;
	pep_status status = storage_scan_open(api->storage, &query, &scan, err);

	if (status != PEP_OK)
		return status;
	status = storage_scan_next(scan, &id, err);
	for (; status == PEP_OK && id && count < list->limit; status = storage_scan_next(scan, &id, err)) {
		if (count++)
			buffer_byte(results, ',');
		identity_json(results, id, true);
		(void)snprintf(last, sizeof(last), "%s", id->dispatch_id);
	}
	*ret_count = count;
	if (status == PEP_OK && id) {
		*ret_last = arena_text(arena, last);
		if (!*ret_last) /* not to be taken for the last page */
			status = pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	storage_scan_close(scan);
	return status;
}

void api_enrollment_ids(void *context, struct http_request *request, struct http_reply *reply)
{
	struct list_query list;
	struct buffer page;
	struct buffer results;
	struct pep_error err = {0};
	const char *next = NULL;
	unsigned count = 0;
	pep_status status;

	if (!parse_list(request, reply, &list))
		return;
	buffer_init(&page, PAGE_LIMIT);
	buffer_init(&results, PAGE_LIMIT);
	status = append_results(context, request->arena, &list, &results, &count, &next, &err);
	buffer_text(&page, "{\"_links\":{\"self\":");
	append_link(&page, request, NULL);
	if (next) {
		buffer_text(&page, ",\"next\":");
		append_link(&page, request, next);
	}
	buffer_text(&page, "},\"results\":[");
	buffer_append(&page, results.data, results.size);
	buffer_format(&page, "],\"total_count\":%u,\"limit\":%u,\"order\":", count, list.limit);
	buffer_json_text(&page, list.order);
	buffer_byte(&page, '}');
	if (status == PEP_OK && (page.failed || results.failed))
		status = pep_fail(&err, PEP_NO_MEMORY, 0, "out of memory");
	buffer_fini(&results);
	if (status != PEP_OK) {
		storage_problem(request, reply, status, &err);
		buffer_fini(&page);
		return;
	}
	reply_json(reply, 200, page.data, page.size);
	reply->free_body = page.data;
}
