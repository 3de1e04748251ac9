/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask.h"

#include "cli/key.h"
#include "cli/pending.h"
#include "cli/print.h"
#include "core/base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void ask_fini(struct ask *ask)
{
	client_reply_fini(&ask->reply);
	json_decref(ask->fields);
	key_end(&ask->sealing);
	pending_close(&ask->pending);
	settings_fini(&ask->settings);
	ask->fields = NULL;
}

int ask_open(struct ask *ask, struct failure *err)
{
	struct pending_name name = {.folder = ask->folder,
				    .server = ask->server_name ? ask->server_name : ask->settings.shown,
				    .serial = ask->serial,
				    .with_key = ask->interval != NULL};

	return pending_open(ask->state_folder, &name, &ask->pending, err);
}

bool ask_was_there(const struct ask *ask)
{
	return pending_was_there(ask->pending);
}

/* Writes the request down: everything that the server compares, so neither address nor port (a retry may come from another). */
static int write_down(struct ask *ask, struct failure *err)
{
	json_t *compared = json_copy(ask->fields);
	int code;

	if (!compared)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while writing down the request");
	(void)json_object_del(compared, "ip");
	(void)json_object_del(compared, "port");
	code = pending_save(ask->pending, compared, ask->sealing ? key_text(ask->sealing) : NULL, err);
	json_decref(compared);
	return code;
}

/* The request by POST or, with a server that knows only GET (the original), by GET. */
static int send_identity(struct ask *ask, const char *method, struct failure *err)
{
	bool is_post = strcmp(method, "POST") == 0;
	AUTO(free_ptr) char *body = is_post ? json_dumps(ask->fields, JSON_COMPACT) : NULL;
	AUTO(free_ptr) char *path = is_post ? strdup(IDENTITY_PATH) : client_target(IDENTITY_PATH, ask->fields);
	struct request request = {
		.method = method, .path = path, .body = body, .idempotency_key = pending_idempotency_key(ask->pending)};
	int code;

	if (!path || (is_post && !body))
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	client_reply_fini(&ask->reply);
	code = client_send(ask->session, &ask->settings, &request, &ask->reply, err);
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
static int refuse(struct ask *ask, struct failure *err)
{
	AUTO(free_ptr) char *what = NULL;

	if (asprintf(&what, "no identity for serial %.128s", ask->serial) < 0)
		what = NULL;
	if (ask->reply.http_status == 200) {
		(void)failure_set(err, EXIT_SERVER, "bad_reply",
				  "the reply to the request for serial %.128s is no identity; check PEP_SERVER_URL", ask->serial);
		err->http_status = 200;
		(void)snprintf(err->request_id, sizeof(err->request_id), "%s", ask->reply.request_id);
		return err->exit_code;
	}
	(void)client_refused(&ask->reply, what ? what : "no identity", err);
	/* A server that repeats what it was sent must not put the key on the screen. */
	if (ask->sealing && strstr(err->message, key_text(ask->sealing)))
		(void)snprintf(err->message, sizeof(err->message),
			       "no identity; the server's reason holds the verification key, so it is not shown");
	return err->exit_code;
}

static int exchange(struct ask *ask, struct failure *err)
{
	int code = send_identity(ask, "POST", err);

	if (code == EXIT_OK && ask->reply.http_status == 404 && !ask->reply.has_error) {
		print_verbose(ask->session, "the server does not know POST %s; trying GET, as the original server wants it",
			      IDENTITY_PATH);
		code = send_identity(ask, "GET", err);
	}
	if (code != EXIT_OK)
		return code;
	if (ask->reply.http_status == 200 && is_identity(&ask->reply))
		return EXIT_OK;
	return refuse(ask, err);
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
static int server_has_key(struct ask *ask)
{
	AUTO(client_reply_fini) struct reply reply = {0};
	AUTO(free_ptr) char *path = NULL;
	json_t *query = json_pack("{ss}", "serialNumber", ask->serial);
	struct request request = {.method = "GET"};
	struct failure ignored = {0};
	const char *key = key_text(ask->sealing);
	int code;

	path = query ? client_target("/v3/verification-key", query) : NULL;
	json_decref(query);
	request.path = path;
	buffer_init(&reply.body, 0);
	if (!path)
		return -1;
	code = client_send(ask->session, &ask->settings, &request, &reply, &ignored);
	if (code != EXIT_OK || reply.http_status != 200)
		return -1;
	return reply.body.size == strlen(key) && memcmp(reply.body.data, key, reply.body.size) == 0;
}

void ask_accept(struct ask *ask)
{
	/* The copy first: a copy without a note would be taken for a key that the server never saw, and brought back. */
	if (ask->sealing && !key_accept(ask->session, ask->sealing)) {
		print_note(ask->session, "the copy of the old sealing key could not be removed; the same command will try again");
		return;
	}
	pending_remove(ask->pending);
}

static void forget_refused(struct ask *ask)
{
	/* The other way round: a note without a copy would send a key again that is no longer this machine's. */
	pending_remove(ask->pending);
	if (ask->sealing)
		key_restore(ask->session, ask->sealing);
}

/* Tidies up what was written down for the request, as far as the outcome is known. */
static void settle(struct ask *ask, enum outcome outcome)
{
	/* Whether another request with this key, or of this call, may still have reached the server. */
	bool earlier = pending_was_there(ask->pending) || ask->reply.attempts > 1;
	int has_key;

	if (outcome == OUTCOME_UNUSABLE && earlier && ask->sealing) {
		has_key = server_has_key(ask);
		if (has_key > 0)
			ask_accept(ask);
		else if (has_key == 0)
			forget_refused(ask);
		return;
	}
	if (outcome == OUTCOME_FAILED || outcome == OUTCOME_UNUSABLE || (outcome == OUTCOME_REFUSED && !earlier)) {
		forget_refused(ask);
		return;
	}
	if (outcome != OUTCOME_ACCEPTED)
		print_note(ask->session,
			   "the gateway may have an identity; the same command, run again here, gets it or asks anew");
}

int ask_prepare(struct ask *ask, json_t *fields, struct failure *err)
{
	int code = EXIT_OK;

	json_decref(ask->fields);
	ask->fields = fields;
	if (ask->interval)
		code = key_begin(ask->session, ask->pending, ask->interval, &ask->sealing, err);
	if (code != EXIT_OK)
		return code;
	if (json_object_set_new(ask->fields, "verificationKey", json_string(ask->sealing ? key_text(ask->sealing) : NO_KEY)) != 0)
		code = failure_set(err, EXIT_OTHER, "key_generation",
				   "Error while generating verification key: journalctl printed something that is no text");
	if (code == EXIT_OK)
		code = write_down(ask, err);
	if (code != EXIT_OK && ask->sealing && !pending_was_there(ask->pending))
		key_restore(ask->session, ask->sealing);
	return code;
}

int ask_exchange(struct ask *ask, struct failure *err)
{
	int code = exchange(ask, err);

	settle(ask, judge(&ask->reply, code, err));
	return code;
}
