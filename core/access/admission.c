/* SPDX-License-Identifier: Apache-2.0 */
#include "core/access/admission.h"

#include "core/access/scope.h"
#include "core/base/clock.h"
#include "core/base/log.h"

#include <string.h>
#include <strings.h>

/* NULL: absent. Two of them are nobody's: who is meant would depend on who reads them. */
static const char *authorization_of(const struct http_request *request)
{
	const char *found = NULL;

	for (size_t i = 0; i < request->header_count; i++) {
		if (strcasecmp(request->headers[i].name, "Authorization") != 0)
			continue;
		if (found)
			return "";
		found = request->headers[i].value;
	}
	return found;
}

/* Browsers say so (Fetch Metadata); nobody else sends the header. A link that the user has clicked is "none" or "same-origin", too. */
static bool is_cross_site(const struct http_request *request)
{
	const char *site = request_header(request, "Sec-Fetch-Site");

	return site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

/* RFC 6750 3: with a reason only for who has sent a token. */
static bool refuse_unknown(const struct http_request *request, struct http_reply *reply, enum access_verdict verdict)
{
	bool is_missing = verdict == ACCESS_MISSING;

	reply_header(reply, "WWW-Authenticate",
		     is_missing ? "Bearer realm=\"pep\"" : "Bearer realm=\"pep\", error=\"invalid_token\"");
	reply_problem(request, reply, 401, "not_authenticated", NULL, "%s",
		      is_missing ? "this needs a token: send Authorization: Bearer TOKEN"
		      : verdict == ACCESS_EXPIRED
			      ? "the token has expired; pep-server token rotate makes another"
			      : "this token or certificate is not known; was it revoked, or the server not told to reload?");
	return false;
}

static bool refuse_scope(const struct http_request *request, struct http_reply *reply, enum http_scope scope,
			 const struct access_decision *decision)
{
	char name[SCOPE_LIST_ROOM];

	scope_write_list((unsigned)scope, name);
	reply_problem(request, reply, 403, "not_allowed", NULL, "%s lacks the scope \"%s\" that this needs", decision->actor, name);
	return false;
}

static bool refuse(const struct http_request *request, struct http_reply *reply, enum http_scope scope,
		   const struct access_decision *decision)
{
	switch (decision->verdict) {
	case ACCESS_NOT_ALLOWED:
		return refuse_scope(request, reply, scope, decision);
	case ACCESS_ELSEWHERE:
		reply_problem(request, reply, 403, "not_allowed", NULL, "this token is not for use from %s", request->peer);
		return false;
	case ACCESS_CROSS_SITE:
		reply_problem(request, reply, 403, "not_allowed", NULL, "a page of another site may not ask for this");
		return false;
	case ACCESS_TOO_MANY:
		reply_problem(request, reply, 429, "too_many_requests", NULL, "too many requests; come again in %u s",
			      decision->wait_s);
		reply_retry_after(request, reply, decision->wait_s);
		return false;
	default:
		return refuse_unknown(request, reply, decision->verdict);
	}
}

/* Never anything of what was presented. As seldom as failures are answered, so nobody can fill the log. */
static void log_failure(const struct http_request *request, const struct access_decision *decision)
{
	const char *why = decision->verdict == ACCESS_UNKNOWN     ? "not known"
			  : decision->verdict == ACCESS_EXPIRED   ? "expired"
			  : decision->verdict == ACCESS_ELSEWHERE ? "not from this address"
								  : NULL;

	if (why)
		log_event(LOG_WARNING, "token refused", LOG_TEXT("peer", request->peer), LOG_TEXT("why", why),
			  LOG_TEXT("id", decision->id[0] ? decision->id : NULL), LOG_TEXT("request_id", request->id));
}

bool admission_admit(void *context, enum http_scope scope, struct http_request *request, struct http_reply *reply)
{
	const struct access_caller caller = {
		.peer = request->peer,
		.authorization = authorization_of(request),
		.certificate_sha256 = request->certificate_sha256,
		.certificate_name = request->certificate_name,
		.is_cross_site = is_cross_site(request),
		.now_ms = clock_wall_ms(),
		.now_boot_ms = request->start_boot_ms,
	};
	struct access_decision decision;
	const char *actor;

	access_decide(context, &caller, scope, &decision);
	actor = arena_text(request->arena, decision.actor);
	if (!actor) {
		reply_problem(request, reply, 503, "busy", NULL, "out of memory; try again");
		return false;
	}
	request->actor = actor;
	request->station = decision.is_station ? actor : NULL;
	if (decision.verdict == ACCESS_GRANTED)
		return true;
	log_failure(request, &decision);
	return refuse(request, reply, scope, &decision);
}
