/* SPDX-License-Identifier: Apache-2.0
 *
 * get-one-identity. The order of the steps is the point: what can be found out before is found out before; the request is on disk
 * before it is sent; its note goes when the outcome is known and identity.json is safe.
 */
#include "cli/client.h"
#include "cli/file.h"
#include "cli/key.h"
#include "cli/pending.h"
#include "cli/print.h"
#include "core/base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDENTITY_FILE "identity.json"
#define IDENTITY_PATH "/v3/identity"
/* What the original sends when there is no key; readers of its database know this text. */
#define NO_KEY "verification-key-does-not-exist"

/* What is known of the request when its reply is judged. */
enum outcome {
	OUTCOME_ACCEPTED, /* the identity is there */
	OUTCOME_REFUSED,  /* this request did nothing; an earlier one may have */
	OUTCOME_FAILED,   /* the server tried and the gateway has no identity, so no earlier request has given it one */
	OUTCOME_UNUSABLE, /* the serial has an identity that this key does not get (again) */
	OUTCOME_UNKNOWN,
};

struct identity_call {
	struct session *session;
	struct settings settings;
	struct pending *pending;
	struct sealing *sealing; /* NULL: no -k */
	json_t *fields;          /* as sent */
	struct reply reply;
};

static void call_fini(struct identity_call *call)
{
	client_reply_fini(&call->reply);
	json_decref(call->fields);
	key_end(&call->sealing);
	pending_close(&call->pending);
	settings_fini(&call->settings);
}

static int open_pending(struct identity_call *call, struct failure *err)
{
	AUTO(free_ptr) char *folder = file_folder(IDENTITY_FILE);
	AUTO(free_ptr) char *state_folder = pending_state_folder();
	struct pending_name name = {.folder = folder,
				    .server = call->settings.shown,
				    .serial = session_text(call->session, 's'),
				    .with_key = session_flag(call->session, 'k')};

	if (!folder)
		return failure_set(err, EXIT_LOCAL_FILE, "local_file", "cannot find the current folder; change to one that exists");
	return pending_open(state_folder, &name, &call->pending, err);
}

/* Writes the request down: everything that the server compares, so neither address nor port (a retry may come from another). */
static int write_down(struct identity_call *call, struct failure *err)
{
	json_t *compared = json_copy(call->fields);
	int code;

	if (!compared)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while writing down the request");
	(void)json_object_del(compared, "ip");
	(void)json_object_del(compared, "port");
	code = pending_save(call->pending, compared, call->sealing ? key_text(call->sealing) : NULL, err);
	json_decref(compared);
	return code;
}

/* The request by POST or, with a server that knows only GET (the original), by GET. */
static int send_identity(struct identity_call *call, const char *method, struct failure *err)
{
	bool is_post = strcmp(method, "POST") == 0;
	AUTO(free_ptr) char *body = is_post ? json_dumps(call->fields, JSON_COMPACT) : NULL;
	AUTO(free_ptr) char *path = is_post ? strdup(IDENTITY_PATH) : client_target(IDENTITY_PATH, call->fields);
	struct request request = {
		.method = method, .path = path, .body = body, .idempotency_key = pending_idempotency_key(call->pending)};
	int code;

	if (!path || (is_post && !body))
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	client_reply_fini(&call->reply);
	code = client_send(call->session, &call->settings, &request, &call->reply, err);
	if (body)
		explicit_bzero(body, strlen(body));
	explicit_bzero(path, strlen(path));
	return code;
}

/* Whether the body is an identity. */
static bool is_identity(const struct reply *reply)
{
	json_t *object = reply->body.size ? json_loadb(reply->body.data, reply->body.size, 0, NULL) : NULL;
	bool is = json_string_length(json_object_get(object, "enrollmentID")) > 0;

	json_decref(object);
	return is;
}

/* Makes one failure of a reply that is no identity. */
static int refuse(struct identity_call *call, struct failure *err)
{
	AUTO(free_ptr) char *what = NULL;

	if (asprintf(&what, "no identity for serial %.128s", session_text(call->session, 's')) < 0)
		what = NULL;
	if (call->reply.http_status == 200) {
		(void)failure_set(err, EXIT_SERVER, "bad_reply",
				  "the reply to the request for serial %.128s is no identity; check PEP_SERVER_URL",
				  session_text(call->session, 's'));
		err->http_status = 200;
		(void)snprintf(err->request_id, sizeof(err->request_id), "%s", call->reply.request_id);
		return err->exit_code;
	}
	(void)client_refused(&call->reply, what ? what : "no identity", err);
	/* A server that repeats what it was sent must not put the key on the screen. */
	if (call->sealing && strstr(err->message, key_text(call->sealing)))
		(void)snprintf(err->message, sizeof(err->message),
			       "no identity; the server's reason holds the verification key, so it is not shown");
	return err->exit_code;
}

static int exchange(struct identity_call *call, struct failure *err)
{
	int code = send_identity(call, "POST", err);

	if (code == EXIT_OK && call->reply.http_status == 404 && !call->reply.has_error) {
		print_verbose(call->session, "the server does not know POST %s; trying GET, as the original server wants it",
			      IDENTITY_PATH);
		code = send_identity(call, "GET", err);
	}
	if (code != EXIT_OK)
		return code;
	if (call->reply.http_status == 200 && is_identity(&call->reply))
		return EXIT_OK;
	return refuse(call, err);
}

static bool is_code(const struct failure *failure, const char *code)
{
	return strcmp(failure->code, code) == 0;
}

/* `code` and *failure are of exchange(). Does not look at what was before this call. */
static enum outcome judge(const struct reply *reply, int code, const struct failure *failure)
{
	if (code == EXIT_OK)
		return OUTCOME_ACCEPTED;
	if (!reply->sent)
		return OUTCOME_REFUSED;
	/* No complete reply, or one that nobody understands. */
	if (failure->http_status < 400)
		return OUTCOME_UNKNOWN;
	if (failure->http_status == 500 &&
	    (is_code(failure, "gateway_unreachable") || is_code(failure, "gateway_refused") || is_code(failure, "injector_failed")))
		return OUTCOME_FAILED;
	if ((failure->http_status == 409 && is_code(failure, "exists")) || failure->http_status == 422)
		return OUTCOME_UNUSABLE;
	/* Somebody is at it, perhaps an earlier request of ours; too much at once; a time limit. */
	if (failure->http_status == 409 || failure->http_status == 429 || failure->http_status == 408 ||
	    failure->http_status == 425)
		return OUTCOME_UNKNOWN;
	return failure->http_status < 500 ? OUTCOME_REFUSED : OUTCOME_UNKNOWN;
}

/* Whether the server's record of this serial holds the key that was sent: an earlier request, whose reply was lost, may have brought it
 * there. 1 yes, 0 no, -1 it could not be found out. */
static int server_has_key(struct identity_call *call)
{
	AUTO(client_reply_fini) struct reply reply = {0};
	AUTO(free_ptr) char *path = NULL;
	json_t *query = json_pack("{ss}", "serialNumber", session_text(call->session, 's'));
	struct request request = {.method = "GET"};
	struct failure ignored = {0};
	const char *key = key_text(call->sealing);
	int code;

	path = query ? client_target("/v3/verification-key", query) : NULL;
	json_decref(query);
	request.path = path;
	buffer_init(&reply.body, 0);
	if (!path)
		return -1;
	code = client_send(call->session, &call->settings, &request, &reply, &ignored);
	if (code != EXIT_OK || reply.http_status != 200)
		return -1;
	return reply.body.size == strlen(key) && memcmp(reply.body.data, key, reply.body.size) == 0;
}

static void forget_accepted(struct identity_call *call)
{
	/* The copy first: a copy without a note would be taken for a key that the server never saw, and brought back. */
	if (call->sealing && !key_accept(call->session, call->sealing)) {
		print_note(call->session, "the copy of the old sealing key could not be removed; the same command will try again");
		return;
	}
	pending_remove(call->pending);
}

static void forget_refused(struct identity_call *call)
{
	/* The other way round: a note without a copy would send a key again that is no longer this machine's. */
	pending_remove(call->pending);
	if (call->sealing)
		key_restore(call->session, call->sealing);
}

/* Tidies up what was written down for the request, as far as the outcome is known. */
static void settle(struct identity_call *call, enum outcome outcome)
{
	/* Whether another request with this key, or of this call, may still have reached the server. */
	bool earlier = pending_was_there(call->pending) || call->reply.attempts > 1;
	int has_key;

	if (outcome == OUTCOME_UNUSABLE && earlier && call->sealing) {
		has_key = server_has_key(call);
		if (has_key > 0)
			forget_accepted(call);
		else if (has_key == 0)
			forget_refused(call);
		return;
	}
	if (outcome == OUTCOME_FAILED || outcome == OUTCOME_UNUSABLE || (outcome == OUTCOME_REFUSED && !earlier)) {
		forget_refused(call);
		return;
	}
	if (outcome != OUTCOME_ACCEPTED)
		print_note(call->session,
			   "the gateway may have an identity; the same command, run again here, gets it or asks anew");
}

/* identity.json and stdout: both or, if one fails, none. */
static int save_identity(struct identity_call *call, struct failure *err)
{
	AUTO(file_drop) struct file *file = NULL;
	const struct buffer *body = &call->reply.body;
	int code = file_begin(IDENTITY_FILE, 0666, &file, err);

	if (code == EXIT_OK)
		code = file_write(file, body->data, body->size, err);
	if (code == EXIT_OK)
		code = file_swap(&file, 1, err);
	if (code != EXIT_OK)
		return code;
	code = print_result(call->session, body->data, body->size,
			    json_pack("{ss, sb, ss, so}", "file", IDENTITY_FILE, "replayed", (int)call->reply.replayed,
				      "request_id", call->reply.request_id, "identity",
				      json_loadb(body->data, body->size, 0, NULL)),
			    err);
	if (code == EXIT_OK)
		file_keep(&file, 1);
	else
		file_undo(&file, 1);
	return code;
}

static int prepare(struct identity_call *call, struct failure *err)
{
	int code = settings_load(getenv("PEP_SERVER_URL"), getenv("PEP_TIMEOUT"), &call->settings, err);

	if (code == EXIT_OK)
		code = session_fields(call->session, &call->fields, err);
	if (code == EXIT_OK)
		code = file_check(IDENTITY_FILE, err);
	if (code == EXIT_OK)
		code = open_pending(call, err);
	if (code == EXIT_OK && session_flag(call->session, 'k'))
		code = key_begin(call->session, call->pending, session_text(call->session, 'e'), &call->sealing, err);
	if (code != EXIT_OK)
		return code;
	if (json_object_set_new(call->fields, "verificationKey", json_string(call->sealing ? key_text(call->sealing) : NO_KEY)) !=
	    0)
		code = failure_set(err, EXIT_OTHER, "key_generation",
				   "Error while generating verification key: journalctl printed something that is no text");
	if (code == EXIT_OK)
		code = write_down(call, err);
	if (code != EXIT_OK && call->sealing && !pending_was_there(call->pending))
		key_restore(call->session, call->sealing);
	return code;
}

static int provision(struct identity_call *call, struct failure *err)
{
	int code = prepare(call, err);

	if (code != EXIT_OK)
		return code;
	if (pending_was_there(call->pending))
		print_note(call->session, "an earlier request for serial %.128s was left unfinished here; this goes on with it",
			   session_text(call->session, 's'));
	code = exchange(call, err);
	settle(call, judge(&call->reply, code, err));
	if (code != EXIT_OK)
		return code;
	if (call->reply.replayed)
		print_note(call->session, "the gateway had this identity already; the server gave it again");
	/* Without identity.json the note stays: it gets the identity once more. */
	code = save_identity(call, err);
	if (code == EXIT_OK)
		forget_accepted(call);
	return code;
}

int identity_run(struct session *session, struct failure *err)
{
	AUTO(call_fini) struct identity_call call = {.session = session};
	int code = session_check(session, err);

	return code == EXIT_OK ? provision(&call, err) : code;
}
