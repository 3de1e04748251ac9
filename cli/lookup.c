/* SPDX-License-Identifier: Apache-2.0
 *
 * get-enrollment-id and get-verification-key: one value, byte for byte.
 */
#include "cli/client.h"
#include "cli/print.h"
#include "core/base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>

static int print_value(const struct session *session, const struct reply *reply, const char *member, struct failure *err)
{
	json_t *members = NULL;

	if (session->json) {
		members = json_pack("{ss, ss, ss%}", "serial_number", session_text(session, 's'), "request_id", reply->request_id,
				    member, reply->body.size ? reply->body.data : "", reply->body.size);
		if (!members)
			return failure_set(err, EXIT_SERVER, "bad_reply",
					   "the value for serial %.128s is not valid UTF-8 and cannot be shown as JSON; run the "
					   "command without "
					   "--json",
					   session_text(session, 's'));
	}
	return print_result(session, reply->body.data, reply->body.size, members, err);
}

static int look_up(const struct session *session, const char *path, const char *member, struct failure *err)
{
	AUTO(settings_fini) struct settings settings = {0};
	AUTO(client_reply_fini) struct reply reply = {0};
	AUTO(free_ptr) char *target = NULL;
	AUTO(free_ptr) char *what = NULL;
	struct request request = {.method = "GET"};
	json_t *query = NULL;
	int code = session_check(session, err);

	if (code == EXIT_OK)
		code = settings_load(getenv("PEP_SERVER_URL"), getenv("PEP_TIMEOUT"), &settings, err);
	if (code == EXIT_OK)
		code = session_fields(session, &query, err);
	if (code != EXIT_OK)
		return code;
	target = client_target(path, query);
	json_decref(query);
	if (!target)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	request.path = target;
	code = client_send(session, &settings, &request, &reply, err);
	if (code != EXIT_OK)
		return code;
	if (reply.http_status == 200)
		return print_value(session, &reply, member, err);
	if (asprintf(&what, "looking up serial %.128s", session_text(session, 's')) < 0)
		what = NULL;
	return client_refused(&reply, what ? what : "looking up the serial", err);
}

int lookup_run_enrollment_id(struct session *session, struct failure *err)
{
	return look_up(session, "/v3/enrollment-id", "enrollment_id", err);
}

int lookup_run_verification_key(struct session *session, struct failure *err)
{
	return look_up(session, "/v3/verification-key", "verification_key", err);
}
