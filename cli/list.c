/* SPDX-License-Identifier: Apache-2.0
 *
 * list-enrollment-ids: one page of the list, byte for byte as JSON and, if asked for, as CSV.
 */
#include "cli/client.h"
#include "cli/csv.h"
#include "cli/file.h"
#include "cli/print.h"
#include "core/base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CSV_LIMIT ((size_t)256 << 20)

static void free_json(json_t **value)
{
	json_decref(*value);
}

struct list_call {
	const struct session *session;
	char *json_path, *csv_path; /* csv_path NULL: not asked for */
	struct settings settings;
	struct reply reply;
	struct buffer csv;
	json_t *page;
};

static void call_fini(struct list_call *call)
{
	free(call->json_path);
	free(call->csv_path);
	settings_fini(&call->settings);
	client_reply_fini(&call->reply);
	buffer_fini(&call->csv);
	json_decref(call->page);
}

static int name_files(struct list_call *call, struct failure *err)
{
	const char *name = session_text(call->session, 'f');
	bool with_csv = strcmp(session_text(call->session, 'e'), "csv") == 0;

	if (asprintf(&call->json_path, "%s.json", name) < 0)
		call->json_path = NULL;
	if (with_csv && asprintf(&call->csv_path, "%s.csv", name) < 0)
		call->csv_path = NULL;
	if (!call->json_path || (with_csv && !call->csv_path))
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	return EXIT_OK;
}

static int fetch_page(struct list_call *call, struct failure *err)
{
	AUTO(free_json) json_t *query = NULL;
	AUTO(free_ptr) char *target = NULL;
	struct request request = {.method = "GET"};
	int code = session_fields(call->session, &query, err);

	if (code != EXIT_OK)
		return code;
	target = client_target("/v3/enrollment-ids", query);
	if (!target)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	request.path = target;
	code = client_send(call->session, &call->settings, &request, &call->reply, err);
	if (code != EXIT_OK)
		return code;
	return call->reply.http_status == 200 ? EXIT_OK : client_refused(&call->reply, "listing the identities", err);
}

/* Looks whether the page is one, and makes CSV of it. */
static int read_page(struct list_call *call, struct failure *err)
{
	const struct buffer *body = &call->reply.body;
	json_t *results;

	call->page = body->size ? json_loadb(body->data, body->size, JSON_ALLOW_NUL, NULL) : NULL;
	results = json_object_get(call->page, "results");
	if (!json_is_array(results) || (call->csv_path && !csv_from_results(results, &call->csv))) {
		(void)failure_set(err, EXIT_SERVER, "bad_reply", "the reply is no list of identities; check PEP_SERVER_URL");
		err->http_status = call->reply.http_status;
		(void)snprintf(err->request_id, sizeof(err->request_id), "%s", call->reply.request_id);
		return err->exit_code;
	}
	return EXIT_OK;
}

static int print_saved(const struct list_call *call, struct failure *err)
{
	AUTO(free_ptr) char *text = NULL;
	json_t *members =
		json_pack("{ss, ss*, si, ss}", "json_file", call->json_path, "csv_file", call->csv_path, "count",
			  (int)json_array_size(json_object_get(call->page, "results")), "request_id", call->reply.request_id);
	json_t *next = json_object_get(json_object_get(call->page, "_links"), "next");

	if (members)
		(void)json_object_set_new(members, "more", json_boolean(json_is_object(next)));
	if (asprintf(&text, "JSON output saved successfully at %s\n%s%s%s", call->json_path,
		     call->csv_path ? "CSV output saved successfully at " : "", call->csv_path ? call->csv_path : "",
		     call->csv_path ? "\n" : "") < 0) {
		text = NULL;
		json_decref(members);
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	}
	return print_result(call->session, text, strlen(text), members, err);
}

/* Both files and the message, or none. */
static int save_page(struct list_call *call, struct failure *err)
{
	struct file *files[2] = {NULL, NULL};
	size_t count = call->csv_path ? 2 : 1;
	int code = file_begin(call->json_path, 0666, &files[0], err);

	if (code == EXIT_OK)
		code = file_write(files[0], call->reply.body.data, call->reply.body.size, err);
	if (code == EXIT_OK && call->csv_path)
		code = file_begin(call->csv_path, 0666, &files[1], err);
	if (code == EXIT_OK && call->csv_path)
		code = file_write(files[1], call->csv.data, call->csv.size, err);
	if (code == EXIT_OK)
		code = file_swap(files, count, err);
	if (code == EXIT_OK) {
		code = print_saved(call, err);
		if (code == EXIT_OK)
			file_keep(files, count);
		else
			file_undo(files, count);
	}
	file_drop(&files[0]);
	file_drop(&files[1]);
	return code;
}

int list_run(struct session *session, struct failure *err)
{
	AUTO(call_fini) struct list_call call = {.session = session};
	int code = session_check(session, err);

	buffer_init(&call.csv, CSV_LIMIT);
	if (code == EXIT_OK)
		code = settings_load(getenv("PEP_SERVER_URL"), getenv("PEP_TIMEOUT"), &call.settings, err);
	if (code == EXIT_OK)
		code = name_files(&call, err);
	if (code == EXIT_OK)
		code = file_check(call.json_path, err);
	if (code == EXIT_OK && call.csv_path)
		code = file_check(call.csv_path, err);
	if (code == EXIT_OK)
		code = fetch_page(&call, err);
	if (code == EXIT_OK)
		code = read_page(&call, err);
	return code == EXIT_OK ? save_page(&call, err) : code;
}
