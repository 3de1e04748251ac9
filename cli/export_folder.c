/* SPDX-License-Identifier: Apache-2.0
 *
 * The server is asked for pages; each becomes a file. A page is at first a .part; then the ledger says that it is complete, and where
 * the next one begins; then it gets its name. So a kill at any moment costs at most the page that is being fetched.
 */
#include "cli/export_folder.h"

#include "cli/ledger.h"
#include "cli/part.h"
#include "cli/print.h"
#include "cli/transfer.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE_LIMIT 10000000 /* the portal refuses what is larger than 10 MB, whichever megabyte it means */
#define PAGE_RECORDS 100000      /* one column and a line end are 99 bytes: so many just fit */

struct walk {
	const struct session *session;
	char *folder, *name, *ledger_path;
	int lock_fd;
	json_t *fields, *request; /* what is asked for; what it is told apart by */
	struct ledger ledger;
	struct transfer transfer;
	struct part part;
	bool is_too_large; /* the part */
	int64_t limit;
	int64_t records, bytes; /* of the files of this run */
	json_t *files;
};

static void walk_fini(struct walk *walk)
{
	part_drop(&walk->part);
	free(walk->folder);
	free(walk->name);
	free(walk->ledger_path);
	close_fd(&walk->lock_fd);
	json_decref(walk->fields);
	json_decref(walk->request);
	json_decref(walk->files);
}

static int fail_memory(struct failure *err)
{
	return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
}

static int check_options(const struct session *session, struct failure *err)
{
	const char *state = session_text(session, 'S');

	if (session_text(session, 't') || session_text(session, 'C'))
		return failure_set(err, EXIT_USAGE, "usage",
				   "a folder goes with neither --last nor --cursor-file: it keeps its own place");
	/* What was never dispatched has no place behind which a page could begin. */
	if (state && strcmp(state, "deployed") != 0)
		return failure_set(err, EXIT_USAGE, "usage",
				   "a folder takes deployed identities only; export others into one file");
	return EXIT_OK;
}

/* May be a part of the name of a file. */
static bool is_plain_name(const char *text)
{
	size_t size = strlen(text);

	return size > 0 && size <= 32 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == size;
}

static int name_files(struct walk *walk, struct failure *err)
{
	const char *exporter = session_text(walk->session, 'e'), *profile = session_text(walk->session, 'p');
	const char *output = session_text(walk->session, 'o');
	size_t size = strlen(output);

	if (!is_plain_name(exporter) || (profile && !is_plain_name(profile)))
		return failure_set(err, EXIT_USAGE, "usage", "exporters and profiles have names of a-z, 0-9, _ and -, at most 32");
	while (size > 1 && output[size - 1] == '/')
		size--;
	walk->folder = strndup(output, size);
	if (asprintf(&walk->name, "%s%s%s", exporter, profile ? "-" : "", profile ? profile : "") < 0)
		walk->name = NULL;
	if (!walk->folder || !walk->name || asprintf(&walk->ledger_path, "%s/%s.state", walk->folder, walk->name) < 0) {
		walk->ledger_path = NULL;
		return fail_memory(err);
	}
	return EXIT_OK;
}

static int read_limit(struct walk *walk, struct failure *err)
{
	const char *text = session_text(walk->session, 'l');
	char *end = NULL;
	long long limit = PAGE_RECORDS;

	errno = 0;
	if (text)
		limit = strtoll(text, &end, 10);
	if (errno || (end && *end) || limit < 1 || limit > UINT32_MAX)
		return failure_set(err, EXIT_USAGE, "usage", "-l, --limit: must be a whole number from 1 to 4294967295");
	walk->limit = limit;
	return EXIT_OK;
}

/* The options that say which records and in which form, apart from how many fit into a file. */
static int make_request(struct walk *walk, const struct settings *settings, struct failure *err)
{
	int code = session_fields(walk->session, &walk->fields, err);

	if (code != EXIT_OK)
		return code;
	(void)json_object_del(walk->fields, "limit");
	(void)json_object_del(walk->fields, "state");
	walk->request = json_pack("{s:s, s:s, s:O}", "server", settings->shown, "exporter", session_text(walk->session, 'e'),
				  "fields", walk->fields);
	walk->files = json_array();
	return walk->request && walk->files ? EXIT_OK : fail_memory(err);
}

static int open_folder(struct walk *walk, struct failure *err)
{
	if (mkdir(walk->folder, 0777) != 0 && errno != EEXIST)
		return failure_set(err, EXIT_LOCAL_FILE, "local_file", "cannot make the folder %s: %s", walk->folder,
				   strerror(errno));
	walk->lock_fd = open(walk->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (walk->lock_fd < 0)
		return failure_set(err, EXIT_LOCAL_FILE, "local_file", "cannot open the folder %s: %s", walk->folder,
				   strerror(errno));
	/* Some network file systems lock no folders; there it is left to the caller. */
	if (flock(walk->lock_fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		(void)failure_set(err, EXIT_OTHER, "folder_busy", "another pep-cli exports into %s; try again when it has ended",
				  walk->folder);
		err->retryable = true;
		return err->exit_code;
	}
	return EXIT_OK;
}

/* Takes up what an earlier run has left: the name of a complete file, the place of a walk, or the cursor of the next. */
static int load_place(struct walk *walk, struct failure *err)
{
	struct ledger *ledger = &walk->ledger;
	int code = ledger_load(walk->ledger_path, walk->request, ledger, err);

	if (code == EXIT_OK && ledger->number)
		code = part_publish(walk->folder, walk->name, ledger->number, ledger->suffix, err);
	if (code != EXIT_OK)
		return code;
	if (ledger->limit && ledger->limit < walk->limit)
		walk->limit = ledger->limit;
	if (ledger->is_whole) {
		(void)snprintf(ledger->since, sizeof(ledger->since), "%s", ledger->cursor);
		ledger->last[0] = ledger->cursor[0] = '\0';
		ledger->is_whole = false;
	} else {
		print_note(walk->session, "continuing behind %s-%04" PRId64, walk->name, ledger->number);
	}
	return EXIT_OK;
}

static int take_part(void *ctx, const void *data, size_t size, struct failure *err)
{
	struct walk *walk = ctx;

	if (walk->part.size + (int64_t)size >= FILE_SIZE_LIMIT) {
		walk->is_too_large = true;
		return failure_set(err, EXIT_OTHER, "too_large", "a single record makes a file of %d bytes or more",
				   FILE_SIZE_LIMIT);
	}
	return part_write(&walk->part, data, size, err);
}

/* The query of the page that comes next. The caller's; NULL: out of memory. */
static json_t *make_page_fields(const struct walk *walk)
{
	json_t *fields = json_copy(walk->fields);
	char limit[24];
	int wrong = 0;

	(void)snprintf(limit, sizeof(limit), "%" PRId64, walk->limit);
	if (fields)
		wrong |= json_object_set_new(fields, "limit", json_string(limit));
	if (fields && walk->ledger.since[0])
		wrong |= json_object_set_new(fields, "since", json_string(walk->ledger.since));
	if (fields && walk->ledger.last[0])
		wrong |= json_object_set_new(fields, "last", json_string(walk->ledger.last));
	if (fields && wrong) {
		json_decref(fields);
		return NULL;
	}
	return fields;
}

/* One page into a part. Not EXIT_OK: there is no part, but is_too_large may say why. */
static int fetch_page(struct walk *walk, struct reply *reply, struct failure *err)
{
	json_t *fields = make_page_fields(walk);
	int code = fields ? part_begin(walk->folder, walk->name, walk->ledger.number + 1, &walk->part, err) : fail_memory(err);

	walk->is_too_large = false;
	(void)snprintf(walk->transfer.shown, sizeof(walk->transfer.shown), "%s: %zu files, %" PRId64 " records", walk->name,
		       json_array_size(walk->files), walk->records);
	if (code == EXIT_OK)
		code = transfer_run(&walk->transfer, fields, reply, err);
	if (code != EXIT_OK)
		part_drop(&walk->part);
	json_decref(fields);
	return code;
}

/* As fetch_page(), with fewer records if they do not fit. */
static int fetch_fitting_page(struct walk *walk, struct reply *reply, struct failure *err)
{
	int code = fetch_page(walk, reply, err);

	while (code != EXIT_OK && walk->is_too_large && walk->limit > 1) {
		walk->limit /= 2;
		walk->ledger.limit = walk->limit;
		print_verbose(walk->session, "%d bytes are reached; trying %" PRId64 " records a file", FILE_SIZE_LIMIT,
			      walk->limit);
		client_reply_fini(reply);
		code = fetch_page(walk, reply, err);
	}
	return code;
}

/* The moment from which the part counts. */
static int commit_page(struct walk *walk, const struct reply *reply, struct failure *err)
{
	struct ledger *ledger = &walk->ledger;
	int64_t size = walk->part.size;
	int code = part_complete(&walk->part, walk->folder, err);

	if (code != EXIT_OK)
		return code;
	ledger->number++;
	(void)snprintf(ledger->suffix, sizeof(ledger->suffix), "%s", reply->suffix);
	code = ledger_save(walk->ledger_path, walk->request, ledger, err);
	walk->part.is_kept = code == EXIT_OK;
	part_drop(&walk->part);
	if (code == EXIT_OK)
		code = part_publish(walk->folder, walk->name, ledger->number, ledger->suffix, err);
	if (code != EXIT_OK)
		return code;
	walk->bytes += size;
	walk->records += reply->records > 0 ? reply->records : 0;
	if (json_array_append_new(walk->files,
				  json_sprintf("%s-%04" JSON_INTEGER_FORMAT "%s%s", walk->name, (json_int_t)ledger->number,
					       ledger->suffix[0] ? "." : "", ledger->suffix)) != 0)
		return fail_memory(err);
	return EXIT_OK;
}

/* A page that has come whole; one without a record makes no file. */
static int take_page(struct walk *walk, const struct reply *reply, struct failure *err)
{
	struct ledger *ledger = &walk->ledger;

	/* One that does not count does not say either that there are more. */
	if (reply->records < 0)
		return failure_set(err, EXIT_SERVER, "bad_reply",
				   "the server is older than this pep-cli, and cannot fill a folder");
	/* Only the first page of a walk has the cursor: it must be older than all that the walk reads. */
	if (!ledger->last[0])
		(void)snprintf(ledger->cursor, sizeof(ledger->cursor), "%s", reply->cursor);
	(void)snprintf(ledger->last, sizeof(ledger->last), "%s", reply->next);
	ledger->is_whole = !reply->next[0];
	if (reply->audit_head[0])
		(void)snprintf(ledger->audit_head, sizeof(ledger->audit_head), "%s", reply->audit_head);
	if (reply->records != 0)
		return commit_page(walk, reply, err);
	part_drop(&walk->part);
	return ledger_save(walk->ledger_path, walk->request, ledger, err);
}

static int take_pages(struct walk *walk, struct failure *err)
{
	int code = EXIT_OK;

	while (code == EXIT_OK && !walk->ledger.is_whole) {
		AUTO(client_reply_fini) struct reply reply = {0};

		code = fetch_fitting_page(walk, &reply, err);
		if (code == EXIT_OK)
			code = take_page(walk, &reply, err);
	}
	return code;
}

static int say_result(struct walk *walk, struct failure *err)
{
	json_t *members = json_pack("{s:s, s:O, s:I, s:I}", "folder", walk->folder, "files", walk->files, "records",
				    (json_int_t)walk->records, "bytes", (json_int_t)walk->bytes);
	size_t count = json_array_size(walk->files);
	int code;

	if (members && walk->ledger.cursor[0])
		(void)json_object_set_new(members, "cursor", json_string(walk->ledger.cursor));
	if (members && walk->ledger.audit_head[0])
		(void)json_object_set_new(members, "audit_head", json_string(walk->ledger.audit_head));
	code = print_result(walk->session, "", 0, members, err);
	if (code == EXIT_OK && count)
		print_note(walk->session, "%zu new files, %" PRId64 " bytes, in %s", count, walk->bytes, walk->folder);
	else if (code == EXIT_OK)
		print_note(walk->session, "nothing new for %s", walk->folder);
	if (code == EXIT_OK && walk->ledger.audit_head[0])
		print_note(walk->session, "audit head: %s", walk->ledger.audit_head);
	return code;
}

int export_folder_run(const struct session *session, const struct settings *settings, struct failure *err)
{
	AUTO(walk_fini)
	struct walk walk = {.session = session,
			    .lock_fd = -1,
			    .part = {.fd = -1},
			    .transfer = {.session = session, .settings = settings, .sink = take_part}};
	int code = check_options(session, err);

	walk.transfer.sink_ctx = &walk;
	walk.transfer.shows_progress = print_shows_progress(session);
	if (code == EXIT_OK)
		code = name_files(&walk, err);
	if (code == EXIT_OK)
		code = read_limit(&walk, err);
	if (code == EXIT_OK)
		code = make_request(&walk, settings, err);
	if (code == EXIT_OK)
		code = open_folder(&walk, err);
	if (code == EXIT_OK)
		code = load_place(&walk, err);
	if (code == EXIT_OK)
		code = take_pages(&walk, err);
	return code == EXIT_OK ? say_result(&walk, err) : code;
}
