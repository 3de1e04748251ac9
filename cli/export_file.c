/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/export_file.h"

#include "cli/file.h"
#include "cli/print.h"
#include "cli/transfer.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CURSOR_FILE_LIMIT 256u
#define CURSOR_SIZE 24u

struct export_call {
	const struct session *session;
	struct file *file, *cursor_file; /* NULL: stdout; none */
	json_t *fields;
	struct transfer transfer;
	struct reply reply;
};

static void call_fini(struct export_call *call)
{
	file_drop(&call->file);
	file_drop(&call->cursor_file);
	json_decref(call->fields);
	client_reply_fini(&call->reply);
}

static int take_part(void *ctx, const void *data, size_t size, struct failure *err)
{
	struct export_call *call = ctx;

	return call->file ? file_write(call->file, data, size, err) : print_bytes(data, size, err);
}

/* A cursor stands for all that there is: what narrows the walk to a piece of it would make the next one begin too late, or too early. */
static int check_cursor_options(const struct session *session, struct failure *err)
{
	const char *state = session_text(session, 'S');

	if (session_text(session, 's') || session_text(session, 'l') || session_text(session, 't') || session_text(session, 'T'))
		return failure_set(err, EXIT_USAGE, "usage", "--cursor-file does not go with --since, --limit, --last or --to");
	if (state && strcmp(state, "deployed") != 0)
		return failure_set(err, EXIT_USAGE, "usage", "--cursor-file goes with deployed identities only");
	return EXIT_OK;
}

/* The cursor in the file, as the field `since`; without the file, or with an empty one, there is none. */
static int load_cursor(struct export_call *call, const char *path, struct failure *err)
{
	AUTO(free_ptr) char *text = NULL;
	size_t size = 0;
	int error = file_load_private(path, CURSOR_FILE_LIMIT, &text, &size);

	if (error == ENOENT || (!error && !size))
		return EXIT_OK;
	if (error)
		return failure_set(err, EXIT_LOCAL_FILE, "local_file",
				   "cannot read the cursor in %s: %s; it must be a small file of yours that nobody else can write",
				   path, strerror(error));
	if (strspn(text, "0123456789abcdef") != CURSOR_SIZE || (text[CURSOR_SIZE] && strcmp(text + CURSOR_SIZE, "\n") != 0))
		return failure_set(err, EXIT_LOCAL_FILE, "local_file",
				   "%s holds no cursor; name another file, or remove it to export everything again", path);
	text[CURSOR_SIZE] = '\0';
	if (json_object_set_new(call->fields, "since", json_string(text)) != 0)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	return EXIT_OK;
}

static int begin_cursor_file(struct export_call *call, const char *path, struct failure *err)
{
	int code = check_cursor_options(call->session, err);

	if (code == EXIT_OK)
		code = load_cursor(call, path, err);
	return code == EXIT_OK ? file_begin(path, 0600, &call->cursor_file, err) : code;
}

static int transfer(struct export_call *call, const struct settings *settings, struct failure *err)
{
	call->transfer =
		(struct transfer){.session = call->session,
				  .settings = settings,
				  .sink = take_part,
				  .sink_ctx = call,
				  /* A line that is drawn over itself would wipe out records on the same terminal. */
				  .shows_progress = print_shows_progress(call->session) && (call->file || !isatty(STDOUT_FILENO))};
	(void)snprintf(call->transfer.shown, sizeof(call->transfer.shown), "%s", session_text(call->session, 'e'));
	return transfer_run(&call->transfer, call->fields, &call->reply, err);
}

static int write_cursor(struct export_call *call, struct failure *err)
{
	int code;

	if (!call->reply.cursor[0])
		return failure_set(err, EXIT_SERVER, "bad_reply", "the server gives no cursor; it is older than --cursor-file");
	code = file_write(call->cursor_file, call->reply.cursor, CURSOR_SIZE, err);
	return code == EXIT_OK ? file_write(call->cursor_file, "\n", 1, err) : code;
}

/* With --json; NULL without. */
static json_t *make_members(const struct export_call *call, const char *path)
{
	const struct reply *reply = &call->reply;
	json_t *members = json_pack("{ss, sI}", "file", path, "bytes", (json_int_t)call->transfer.bytes);

	if (members && reply->records >= 0)
		(void)json_object_set_new(members, "records", json_integer(reply->records));
	/* The cursor of a page is worth nothing before all pages are there; then it is the first one's. */
	if (members && reply->cursor[0])
		(void)json_object_set_new(members, "cursor", json_string(reply->cursor));
	if (members && reply->next[0])
		(void)json_object_set_new(members, "next", json_string(reply->next));
	if (members && reply->audit_head[0])
		(void)json_object_set_new(members, "audit_head", json_string(reply->audit_head));
	return members;
}

/* Puts the files in their places and says so. */
static int finish(struct export_call *call, const char *path, struct failure *err)
{
	struct file *files[2];
	size_t count = 0;
	int code = call->cursor_file ? write_cursor(call, err) : EXIT_OK;

	if (call->file)
		files[count++] = call->file;
	if (call->cursor_file)
		files[count++] = call->cursor_file;
	if (code == EXIT_OK && count)
		code = file_swap(files, count, err);
	if (code != EXIT_OK)
		return code;
	if (call->file)
		code = print_result(call->session, "", 0, make_members(call, path), err);
	if (code != EXIT_OK) {
		file_undo(files, count);
		return code;
	}
	file_keep(files, count);
	if (call->file)
		print_note(call->session, "%" PRId64 " bytes saved at %s", call->transfer.bytes, path);
	if (call->reply.next[0])
		print_note(call->session, "there are more; continue with --last %s", call->reply.next);
	if (call->file && call->reply.audit_head[0])
		print_note(call->session, "audit head: %s", call->reply.audit_head);
	print_verbose(call->session, "cursor: %s", call->reply.cursor[0] ? call->reply.cursor : "none");
	return EXIT_OK;
}

int export_file_run(const struct session *session, const struct settings *settings, struct failure *err)
{
	AUTO(call_fini) struct export_call call = {.session = session};
	const char *path = session_text(session, 'o'), *cursor_path = session_text(session, 'C');
	bool to_stdout = strcmp(path, "-") == 0;
	int code;

	if (to_stdout && session->json)
		return failure_set(err, EXIT_USAGE, "usage",
				   "--json needs -o FILE: the export and the result cannot both go to stdout");
	code = session_fields(session, &call.fields, err);
	if (code == EXIT_OK && cursor_path)
		code = begin_cursor_file(&call, cursor_path, err);
	if (code == EXIT_OK && !to_stdout)
		code = file_begin(path, 0666, &call.file, err);
	if (code == EXIT_OK)
		code = transfer(&call, settings, err);
	return code == EXIT_OK ? finish(&call, path, err) : code;
}
