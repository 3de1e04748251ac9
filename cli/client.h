/* SPDX-License-Identifier: Apache-2.0
 *
 * client.h - one request to the server by libcurl, repeated while the server says when to come again (Retry-After, RFC 9110 10.2.3).
 *
 * Only http and https, no redirects, no proxies (the server is on the line's own network; http_proxy of an image that was built
 * elsewhere must not decide where identities go), no cookies, no netrc. One thread.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/session.h"
#include "cli/settings.h"
#include "core/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Takes a part of the body of a 200. EXIT_OK, or an exit code with *err filled: the transfer ends. */
typedef int client_sink(void *ctx, const void *data, size_t size, struct failure *err);

struct request {
	const char *method;          /* "GET" or "POST" */
	const char *path;            /* encoded, with its query: "/v3/enrollment-ids?limit=50" */
	const char *body;            /* NULL: none */
	const char *content_type;    /* of the body; NULL: JSON */
	const char *idempotency_key; /* NULL: none */
	client_sink *sink; /* NULL: the body is kept in the reply. With a sink the time limit is for silence, not for the whole */
	void *sink_ctx;
};

struct reply {
	long http_status;
	struct buffer body;  /* without a sink, or of a status other than 200; data may be NULL; NUL behind the bytes otherwise */
	bool has_error;      /* `error` is the Pep-Error header */
	char error[65];      /* letters, digits and _ only */
	char request_id[65]; /* of the reply, or else the one that was sent */
	bool replayed;       /* Pep-Replay: 1 */
	char cursor[25];     /* Pep-Cursor, of a whole export: where the next may begin; "": none */
	char next[25];       /* Pep-Next, of a page: behind which record the next one begins; "": it is the last */
	int64_t records;     /* Pep-Records, of an export; -1: not counted */
	char audit_head[86]; /* Pep-Audit-Head, of an export: "SEQ HASH"; "": none */
	char suffix[33];     /* of the file's name in Content-Disposition: letters, digits and dots only; "": none */
	int64_t date_s;      /* Date, in seconds since 1970; 0: it has none */
	bool sent;           /* some byte of the request may have reached a server, in any of the attempts */
	unsigned attempts;
};

/* Exchanges one request for a complete reply, of whatever status: EXIT_OK. No complete reply: EXIT_UNREACHABLE, EXIT_TIMEOUT,
 * EXIT_SERVER, EXIT_INTERRUPTED or what the sink said, with *err filled. *ret_reply is filled in every case; it is the caller's until
 * client_reply_fini(). */
int client_send(const struct session *session, const struct settings *settings, const struct request *request,
		struct reply *ret_reply, struct failure *err);
void client_reply_fini(struct reply *reply);
/* The failure that a complete reply means, with the server's own words; returns its exit code. `what` is what was tried. */
int client_refused(const struct reply *reply, const char *what, struct failure *err);

/* path?name=value&..., every value encoded; what is no text, the MACs that the original server
 * does not know, is left out. The caller frees it. NULL: out of memory. */
char *client_target(const char *path, json_t *fields);
/* One segment of a path, encoded. As client_target(). */
char *client_segment(const char *path, const char *segment);

#endif
