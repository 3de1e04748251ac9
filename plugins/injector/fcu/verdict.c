/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include "hint.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

enum { QUOTE_MAX = 160 };

static pep_status tell(struct pep_injection *ret, struct pep_error *err, uint32_t outcome, pep_status status)
{
	ret->outcome = outcome;
	return status == PEP_OK ? PEP_OK : pep_fail(err, status, 0, "%s", ret->detail);
}

pep_status verdict_not_sent(struct pep_injection *ret, struct pep_error *err, pep_status status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(ret->detail, sizeof(ret->detail), format, arguments) < 0)
		ret->detail[0] = '\0';
	va_end(arguments);
	return tell(ret, err, PEP_NOT_SENT, status);
}

/* The last line of the output that says anything, as plain ASCII. */
static void quote_last_line(const struct result *result, char quote[QUOTE_MAX + 1])
{
	const char *end = result->output + result->output_size;
	const char *start;
	size_t size;

	while (end > result->output && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	start = end;
	while (start > result->output && start[-1] != '\n')
		start--;
	size = (size_t)(end - start);
	if (size > QUOTE_MAX)
		size = QUOTE_MAX;
	for (size_t i = 0; i < size; i++)
		quote[i] = (char)(start[i] < ' ' || start[i] > '~' ? '?' : start[i]);
	quote[size] = '\0';
}

static void describe_doubt(const struct result *result, const char *what, struct pep_injection *ret)
{
	const char *hint = hint_of_output(result->output, result->output_size);
	char quote[QUOTE_MAX + 1];

	quote_last_line(result, quote);
	(void)snprintf(ret->detail, sizeof(ret->detail),
		       "the tool for %.64s %s%s%s%s%s; read the gateway, or restart its factory program and try again",
		       result->serial, what, *quote ? ", its last line: " : "", quote, hint ? "; " : "", hint ? hint : "");
}

static pep_status verdict_not_started(const struct result *result, struct pep_injection *ret, struct pep_error *err)
{
	if (result->number == ECANCELED)
		return verdict_not_sent(ret, err, PEP_CANCELLED,
					"the tool for %.64s was not started, as the server asked to; try again", result->serial);
	if (result->number == ETIME)
		return verdict_not_sent(ret, err, PEP_TIMEOUT,
					"the tool for %.64s was not started, as its time was over; try again", result->serial);
	return verdict_not_sent(ret, err, PEP_INTERNAL, "the tool for %.64s cannot be started: %s; see the injector's command",
				result->serial, strerror(result->number));
}

/* Exit code 0: is what it printed good enough? NULL: it is. */
static const char *why_not(const struct output_found *found)
{
	if (found->malformed)
		return "said that all went well, but printed something that is no enrollment identity";
	if (found->identities == 0)
		return "said that all went well, but printed no enrollment identity (is first-to-claim true in fcu.yml?)";
	return found->identities > 1 ? "said that all went well, but printed different enrollment identities" : NULL;
}

pep_status verdict_of_result(const struct result *result, struct pep_injection *ret, struct pep_error *err)
{
	const char *doubt = NULL;
	pep_status status = PEP_INTERNAL;
	char text[64];

	if (result->end == RESULT_NOT_STARTED)
		return verdict_not_started(result, ret, err);
	/* One that is not the only one is no candidate. */
	if (result->found.identities == 1)
		memcpy(ret->enrollment_id, result->found.identity, sizeof(result->found.identity));
	if (result->end == RESULT_EXITED && result->number == 0) {
		doubt = why_not(&result->found);
		if (!doubt) {
			(void)snprintf(ret->detail, sizeof(ret->detail),
				       "the tool for %.64s says that the gateway has its certificate", result->serial);
			return tell(ret, err, PEP_DELIVERED, PEP_OK);
		}
	} else if (result->end == RESULT_EXITED || result->end == RESULT_SIGNALLED) {
		(void)snprintf(text, sizeof(text),
			       result->end == RESULT_EXITED ? "failed with exit code %d" : "was ended by signal %d",
			       result->number);
		doubt = text;
	} else {
		doubt = result->end == RESULT_CANCELLED ? "was ended, as the server asked to" : "was ended at its time limit";
		status = result->end == RESULT_CANCELLED ? PEP_CANCELLED : PEP_TIMEOUT;
	}
	describe_doubt(result, doubt, ret);
	return tell(ret, err, PEP_DOUBTFUL, status);
}

pep_status verdict_of_no_result(const char *serial, bool was_started, struct pep_injection *ret, struct pep_error *err)
{
	if (!was_started)
		return verdict_not_sent(ret, err, PEP_INTERNAL,
					"the tool for %.64s was not started: its runner ended before; is the disk full?", serial);
	(void)snprintf(
		ret->detail, sizeof(ret->detail),
		"the runner of the tool for %.64s was killed; read the gateway, or restart its factory program and try again",
		serial);
	return tell(ret, err, PEP_DOUBTFUL, PEP_INTERNAL);
}
