/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The text of the original server when its tool did not reach the gateway. */
#define ORIGINAL_UNREACHABLE "Make sure you are running fcc-example"

struct meaning {
	long http_status; /* 0: any */
	const char *code;
	int exit_code;
	bool retryable;
};

/* Replies that name their error. The first row that fits counts. */
static const struct meaning named[] = {
	{403, "not_allowed", EXIT_UNAUTHORISED, false}, /* it knows us, and we may not */
	{403, "not_expected", EXIT_POLICY, false},      /* by no order */
	{403, "quota", EXIT_POLICY, false},
	{409, "exists", EXIT_EXISTS, false},
	{409, "in_progress", EXIT_OTHER, true},
	{409, "endpoint_busy", EXIT_OTHER, true},
	{500, "gateway_unreachable", EXIT_GATEWAY_UNREACHABLE, true},
	{500, "gateway_refused", EXIT_GATEWAY_REFUSED, false},
	{500, "injector_timeout", EXIT_TIMEOUT, true},
};

/* Replies by their status alone; `code` is used where the server gave none. */
static const struct meaning by_status[] = {
	{400, "bad_request", EXIT_USAGE, false},       {401, "not_authenticated", EXIT_UNAUTHORISED, false},
	{403, "refused", EXIT_POLICY, false},          {404, "not_found", EXIT_NOT_FOUND, false},
	{429, "too_many_requests", EXIT_POLICY, true}, {504, "gateway_timeout", EXIT_TIMEOUT, true},
};

static bool is_retryable(int exit_code)
{
	return exit_code == EXIT_UNREACHABLE || exit_code == EXIT_TIMEOUT || exit_code == EXIT_GATEWAY_UNREACHABLE ||
	       exit_code == EXIT_INTERRUPTED;
}

int failure_set(struct failure *failure, int exit_code, const char *code, const char *format, ...)
{
	va_list arguments;

	failure->exit_code = exit_code;
	failure->retryable = is_retryable(exit_code);
	(void)snprintf(failure->code, sizeof(failure->code), "%s", code);
	va_start(arguments, format);
	if (vsnprintf(failure->message, sizeof(failure->message), format, arguments) < 0)
		failure->message[0] = '\0';
	va_end(arguments);
	return exit_code;
}

static struct meaning meaning_of_status(long http_status)
{
	for (size_t i = 0; i < sizeof(by_status) / sizeof(by_status[0]); i++)
		if (by_status[i].http_status == http_status)
			return by_status[i];
	if (http_status >= 500)
		return (struct meaning){http_status, "internal", EXIT_SERVER, true};
	if (http_status >= 400)
		return (struct meaning){http_status, "refused", EXIT_OTHER, false};
	return (struct meaning){http_status, "bad_reply", EXIT_SERVER, false};
}

static struct meaning meaning_of_reply(long http_status, const char *pep_error, const char *body, size_t body_size)
{
	struct meaning meaning;

	if (!pep_error && http_status == 409)
		return (struct meaning){409, "exists", EXIT_EXISTS, false};
	if (!pep_error && http_status == 500 && body_size &&
	    memmem(body, body_size, ORIGINAL_UNREACHABLE, strlen(ORIGINAL_UNREACHABLE)))
		return (struct meaning){500, "gateway_unreachable", EXIT_GATEWAY_UNREACHABLE, true};
	for (size_t i = 0; pep_error && i < sizeof(named) / sizeof(named[0]); i++)
		if (named[i].http_status == http_status && strcmp(named[i].code, pep_error) == 0)
			return named[i];
	meaning = meaning_of_status(http_status);
	/* A page of something else than pep, or a redirect, has no code of ours to keep. */
	if (pep_error && http_status >= 400)
		meaning.code = pep_error;
	return meaning;
}

void failure_from_reply(long http_status, const char *pep_error, const char *body, size_t body_size, struct failure *ret_failure)
{
	struct meaning meaning = meaning_of_reply(http_status, pep_error, body, body_size);

	ret_failure->exit_code = meaning.exit_code;
	ret_failure->retryable = meaning.retryable;
	ret_failure->http_status = http_status;
	(void)snprintf(ret_failure->code, sizeof(ret_failure->code), "%s", meaning.code);
}
