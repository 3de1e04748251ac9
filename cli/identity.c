/* SPDX-License-Identifier: Apache-2.0
 *
 * get-one-identity. The order of the steps is the point: what can be found out before is found out before the request is sent.
 */
#include "cli/ask.h"
#include "cli/file.h"
#include "cli/pending.h"
#include "cli/print.h"
#include "core/base/cleanup.h"

#include <stdlib.h>

#define IDENTITY_FILE "identity.json"

/* identity.json and stdout: both or, if one fails, none. */
static int save_identity(struct ask *ask, struct failure *err)
{
	AUTO(file_drop) struct file *file = NULL;
	const struct buffer *body = &ask->reply.body;
	int code = file_begin(IDENTITY_FILE, 0666, &file, err);

	if (code == EXIT_OK)
		code = file_write(file, body->data, body->size, err);
	if (code == EXIT_OK)
		code = file_swap(&file, 1, err);
	if (code != EXIT_OK)
		return code;
	code = print_result(ask->session, body->data, body->size,
			    json_pack("{ss, sb, ss, so}", "file", IDENTITY_FILE, "replayed", (int)ask->reply.replayed, "request_id",
				      ask->reply.request_id, "identity", json_loadb(body->data, body->size, 0, NULL)),
			    err);
	if (code == EXIT_OK)
		file_keep(&file, 1);
	else
		file_undo(&file, 1);
	return code;
}

static int prepare(struct ask *ask, struct failure *err)
{
	json_t *fields = NULL;
	int code = settings_load(getenv("PEP_SERVER_URL"), getenv("PEP_TIMEOUT"), &ask->settings, err);

	if (code == EXIT_OK)
		code = session_fields(ask->session, &fields, err);
	if (code == EXIT_OK)
		code = file_check(IDENTITY_FILE, err);
	if (code == EXIT_OK)
		code = ask_open(ask, err);
	if (code != EXIT_OK) {
		json_decref(fields);
		return code;
	}
	return ask_prepare(ask, fields, err);
}

static int provision(struct ask *ask, struct failure *err)
{
	int code = prepare(ask, err);

	if (code != EXIT_OK)
		return code;
	if (ask_was_there(ask))
		print_note(ask->session, "an earlier request for serial %.128s was left unfinished here; this goes on with it",
			   ask->serial);
	code = ask_exchange(ask, err);
	if (code != EXIT_OK)
		return code;
	if (ask->reply.replayed)
		print_note(ask->session, "the gateway had this identity already; the server gave it again");
	/* Without identity.json the note stays: it gets the identity once more. */
	code = save_identity(ask, err);
	if (code == EXIT_OK)
		ask_accept(ask);
	return code;
}

int identity_run(struct session *session, struct failure *err)
{
	AUTO(free_ptr) char *folder = file_folder(IDENTITY_FILE);
	AUTO(free_ptr) char *state_folder = pending_state_folder();
	AUTO(ask_fini) struct ask ask = {.session = session, .folder = folder, .state_folder = state_folder};
	int code = session_check(session, err);

	if (code != EXIT_OK)
		return code;
	if (!folder)
		return failure_set(err, EXIT_LOCAL_FILE, "local_file", "cannot find the current folder; change to one that exists");
	ask.serial = session_text(session, 's');
	ask.interval = session_flag(session, 'k') ? session_text(session, 'e') : NULL;
	return provision(&ask, err);
}
