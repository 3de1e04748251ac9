/* SPDX-License-Identifier: Apache-2.0
 *
 * export: all identities in a format of the server, streamed to stdout, or to a file that appears when it is whole.
 */
#include "cli/client.h"
#include "cli/file.h"
#include "cli/print.h"
#include "core/base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_EVERY_MS 200

struct export_call {
	const struct session *session;
	struct file *file; /* NULL: stdout */
	int64_t bytes, begun_ms, shown_ms;
	bool shows_progress;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int take_part(void *ctx, const void *data, size_t size, struct failure *err)
{
	struct export_call *call = ctx;
	int code = call->file ? file_write(call->file, data, size, err) : print_bytes(data, size, err);
	int64_t now = call->shows_progress ? now_ms() : 0;

	call->bytes += (int64_t)size;
	if (call->shows_progress && now - call->shown_ms >= PROGRESS_EVERY_MS) {
		call->shown_ms = now;
		print_progress(session_text(call->session, 'e'), call->bytes, now - call->begun_ms);
	}
	return code;
}

/* /v3/export/NAME?... The caller frees it; NULL with *err filled. */
static char *make_target(const struct session *session, struct failure *err)
{
	AUTO(free_ptr) char *path = client_segment("/v3/export/", session_text(session, 'e'));
	json_t *query = NULL;
	char *target = NULL;

	if (path && session_fields(session, &query, err) != EXIT_OK)
		return NULL;
	if (path)
		target = client_target(path, query);
	json_decref(query);
	if (!target)
		(void)failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	return target;
}

static int transfer(struct export_call *call, const struct settings *settings, const char *target, struct failure *err)
{
	AUTO(client_reply_fini) struct reply reply = {0};
	struct request request = {.method = "GET", .path = target, .sink = take_part, .sink_ctx = call};
	int code;

	call->begun_ms = call->shown_ms = now_ms();
	/* A line that is drawn over itself would wipe out records on the same terminal. */
	call->shows_progress = print_shows_progress(call->session) && (call->file || !isatty(STDOUT_FILENO));
	code = client_send(call->session, settings, &request, &reply, err);
	if (call->shows_progress)
		print_progress_end();
	if (code != EXIT_OK)
		return code;
	return reply.http_status == 200 ? EXIT_OK : client_refused(&reply, "exporting the identities", err);
}

/* Puts the file in its place and says so. */
static int finish(struct export_call *call, const char *path, struct failure *err)
{
	int code = file_swap(&call->file, 1, err);

	if (code != EXIT_OK)
		return code;
	code = print_result(call->session, "", 0, json_pack("{ss, sI}", "file", path, "bytes", (json_int_t)call->bytes), err);
	if (code != EXIT_OK) {
		file_undo(&call->file, 1);
		return code;
	}
	file_keep(&call->file, 1);
	print_note(call->session, "%" PRId64 " bytes saved at %s", call->bytes, path);
	return EXIT_OK;
}

int export_run(struct session *session, struct failure *err)
{
	AUTO(settings_fini) struct settings settings = {0};
	AUTO(free_ptr) char *target = NULL;
	struct export_call call = {.session = session};
	const char *path = session_text(session, 'o');
	bool to_stdout = strcmp(path, "-") == 0;
	int code = session_check(session, err);

	if (code == EXIT_OK && to_stdout && session->json)
		code = failure_set(err, EXIT_USAGE, "usage",
				   "--json needs -o FILE: the export and the result cannot both go to stdout");
	if (code == EXIT_OK)
		code = settings_load(getenv("PEP_SERVER_URL"), getenv("PEP_TIMEOUT"), &settings, err);
	if (code != EXIT_OK)
		return code;
	target = make_target(session, err);
	if (!target)
		return err->exit_code;
	if (!to_stdout)
		code = file_begin(path, 0666, &call.file, err);
	if (code == EXIT_OK)
		code = transfer(&call, &settings, target, err);
	if (code == EXIT_OK && call.file)
		code = finish(&call, path, err);
	file_drop(&call.file);
	return code;
}
