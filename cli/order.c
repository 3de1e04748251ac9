/* SPDX-License-Identifier: Apache-2.0
 *
 * order: the production orders of the server - list them, show one, import one from a CSV file, close one.
 */
#include "cli/client.h"
#include "cli/print.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT ((size_t)8 << 20)

static void free_json(json_t **value)
{
	json_decref(*value);
}

static void close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

/* One exchange; *ret_reply is the caller's, also if it was refused. */
static int exchange(const struct session *session, const struct request *request, struct reply *ret_reply, struct failure *err)
{
	AUTO(settings_fini) struct settings settings = {0};
	int code;

	if (!request->path)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	code = settings_load(getenv("PEP_SERVER_URL"), getenv("PEP_TIMEOUT"), &settings, err);
	return code == EXIT_OK ? client_send(session, &settings, request, ret_reply, err) : code;
}

static int read_object(const struct reply *reply, json_t **ret_object, struct failure *err)
{
	*ret_object = reply->body.size ? json_loadb(reply->body.data, reply->body.size, 0, NULL) : NULL;
	if (*ret_object)
		return EXIT_OK;
	return failure_set(err, EXIT_SERVER, "bad_reply", "the server answered something that is no JSON");
}

/* As it is, and for people with a line for each member. */
static int show_object(const struct session *session, json_t *object, struct failure *err)
{
	AUTO(free_ptr) char *text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	AUTO(free_ptr) char *line = NULL;
	int size = text ? asprintf(&line, "%s\n", text) : -1;

	if (size < 0)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	return print_result(session, line, (size_t)size, json_pack("{sO}", "order", object), err);
}

static int need_name(const struct session *session, const char **ret_name, struct failure *err)
{
	*ret_name = session_named(session, "name");
	if (*ret_name)
		return EXIT_OK;
	return failure_set(err, EXIT_USAGE, "usage", "order %s needs --name", session->argument);
}

/* --- list --- */

static void add_line(struct buffer *text, json_t *order)
{
	const char *customer = json_string_value(json_object_get(order, "customer"));

	buffer_format(text, "%s\t%s\t%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "\t%" JSON_INTEGER_FORMAT "\t%s\n",
		      json_string_value(json_object_get(order, "name")),
		      json_is_true(json_object_get(order, "open")) ? "open" : "closed",
		      json_integer_value(json_object_get(order, "done")), json_integer_value(json_object_get(order, "quantity")),
		      json_integer_value(json_object_get(order, "reserved")), customer ? customer : "");
}

static int list(const struct session *session, struct failure *err)
{
	AUTO(client_reply_fini) struct reply reply = {0};
	AUTO(free_json) json_t *all = NULL;
	AUTO(buffer_fini) struct buffer text;
	json_t *orders;
	int code;

	buffer_init(&text, FILE_LIMIT);
	code = exchange(session, &(struct request){.method = "GET", .path = "/v3/orders"}, &reply, err);
	if (code == EXIT_OK && reply.http_status != 200)
		return client_refused(&reply, "listing the orders", err);
	if (code == EXIT_OK)
		code = read_object(&reply, &all, err);
	if (code != EXIT_OK)
		return code;
	orders = json_object_get(all, "orders");
	buffer_text(&text, "NAME\tSTATE\tDONE\tRESERVED\tCUSTOMER\n");
	for (size_t i = 0; i < json_array_size(orders); i++)
		add_line(&text, json_array_get(orders, i));
	if (text.failed)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	return print_result(session, text.data, text.size, json_pack("{sO}", "orders", orders), err);
}

/* --- show, close --- */

static int show_or_close(const struct session *session, bool is_close, struct failure *err)
{
	AUTO(client_reply_fini) struct reply reply = {0};
	AUTO(free_json) json_t *order = NULL;
	AUTO(free_ptr) char *segment = NULL;
	AUTO(free_ptr) char *path = NULL;
	const char *name = NULL;
	int code = need_name(session, &name, err);

	if (code != EXIT_OK)
		return code;
	segment = client_segment("/v3/orders/", name);
	if (!segment || asprintf(&path, "%s%s", segment, is_close ? "/close" : "") < 0)
		path = NULL;
	code = exchange(session,
			&(struct request){.method = is_close ? "POST" : "GET", .path = path, .body = is_close ? "{}" : NULL},
			&reply, err);
	if (code == EXIT_OK && reply.http_status != 200)
		return client_refused(&reply, is_close ? "closing the order" : "showing the order", err);
	if (code == EXIT_OK)
		code = read_object(&reply, &order, err);
	return code == EXIT_OK ? show_object(session, order, err) : code;
}

/* --- import --- */

static int read_csv(const char *path, struct buffer *text, struct failure *err)
{
	AUTO(close_file) FILE *file = fopen(path, "re");
	size_t size = 1;

	while (file && size && !text->failed) {
		char *room = buffer_reserve(text, 65536);

		size = room ? fread(room, 1, 65536, file) : 0;
		text->size += size;
	}
	if (!file || ferror(file))
		return failure_set(err, EXIT_LOCAL_FILE, "local_file", "the file %.256s cannot be read: %s", path, strerror(errno));
	if (memchr(text->data ? text->data : "", '\0', text->size))
		return failure_set(err, EXIT_LOCAL_FILE, "local_file", "the file %.256s is no text; save it as CSV UTF-8", path);
	buffer_byte(text, '\0');
	if (text->failed)
		return failure_set(err, EXIT_LOCAL_FILE, "local_file", "the file %.256s is larger than 8 MiB, what a server takes",
				   path);
	return EXIT_OK;
}

/* The lines that cannot be taken, each with its reason. */
static void tell_rows(const struct session *session, const json_t *report)
{
	const json_t *rows = json_object_get(report, "rows");
	json_int_t bad = json_integer_value(json_object_get(report, "bad"));

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		print_note(session, "line %" JSON_INTEGER_FORMAT ": %s: %s", json_integer_value(json_object_get(row, "line")),
			   json_string_value(json_object_get(row, "serial")), json_string_value(json_object_get(row, "reason")));
	}
	if (bad > (json_int_t)json_array_size(rows))
		print_note(session, "... and %" JSON_INTEGER_FORMAT " more", bad - (json_int_t)json_array_size(rows));
}

static int judge_import(const struct session *session, const struct reply *reply, struct failure *err)
{
	AUTO(free_json) json_t *report = NULL;
	int code;

	if (reply->http_status == 422 && reply->body.size) {
		report = json_loadb(reply->body.data, reply->body.size, 0, NULL);
		tell_rows(session, report);
	}
	if (reply->http_status != 200 && reply->http_status != 201)
		return client_refused(reply, "importing the order", err);
	code = read_object(reply, &report, err);
	if (code != EXIT_OK)
		return code;
	tell_rows(session, report);
	return show_object(session, report, err);
}

static int import(const struct session *session, struct failure *err)
{
	AUTO(client_reply_fini) struct reply reply = {0};
	AUTO(free_json) json_t *query = NULL;
	AUTO(free_ptr) char *target = NULL;
	AUTO(buffer_fini) struct buffer text;
	const char *path = session_named(session, "file");
	bool has_pattern = session_named(session, "pattern") != NULL;
	int code = !path != !has_pattern
			   ? session_fields(session, &query, err)
			   : failure_set(err, EXIT_USAGE, "usage", "order import needs --file or --pattern, and not both");

	buffer_init(&text, FILE_LIMIT + 65537);
	if (code == EXIT_OK && path)
		code = read_csv(path, &text, err);
	if (code != EXIT_OK)
		return code;
	if ((session_has(session, "dry-run") && json_object_set_new(query, "dry_run", json_string("true")) != 0) ||
	    (session_has(session, "partial") && json_object_set_new(query, "partial", json_string("true")) != 0))
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	target = client_target("/v3/orders", query);
	/* A pattern stands in the query with the rest of what is said. */
	code = exchange(session,
			&(struct request){.method = "POST",
					  .path = target,
					  .body = path ? text.data : "{}",
					  .content_type = path ? "text/csv" : NULL},
			&reply, err);
	return code == EXIT_OK ? judge_import(session, &reply, err) : code;
}

int order_run(struct session *session, struct failure *err)
{
	int code = session_check(session, err);

	if (code != EXIT_OK)
		return code;
	if (strcmp(session->argument, "list") == 0)
		return list(session, err);
	if (strcmp(session->argument, "import") == 0)
		return import(session, err);
	if (strcmp(session->argument, "show") == 0 || strcmp(session->argument, "close") == 0)
		return show_or_close(session, session->argument[0] == 'c', err);
	return failure_set(err, EXIT_USAGE, "usage", "order: there is no %.64s; choose one of: %s", session->argument,
			   session->command->argument_choices);
}
