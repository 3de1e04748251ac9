/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include "cli/interrupt.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int print_bytes(const void *data, size_t size, struct failure *err)
{
	const char *next = data;
	ssize_t written;

	while (size) {
		written = write(STDOUT_FILENO, next, size);
		if (written < 0 && errno == EINTR && !interrupt_signal())
			continue;
		if (written < 0 && errno == EINTR)
			return interrupt_failure(err);
		if (written < 0)
			return failure_set(err, EXIT_LOCAL_FILE, "local_file", "cannot write to standard output: %s",
					   strerror(errno));
		next += written;
		size -= (size_t)written;
	}
	return EXIT_OK;
}

/* The object as one line; takes it over. */
static int print_object(json_t *object, struct failure *err)
{
	AUTO(free_ptr) char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int code;

	json_decref(object);
	if (!text)
		return failure_set(err, EXIT_SERVER, "bad_reply",
				   "the result cannot be shown as JSON; run the command without --json");
	code = print_bytes(text, strlen(text), err);
	return code == EXIT_OK ? print_bytes("\n", 1, err) : code;
}

static const char *command_name(const struct session *session)
{
	return session->command ? session->command->name : "pep-cli";
}

/* Where lines of progress came before, the result is told from them. */
static void mark_result(const struct session *session, json_t *object)
{
	if (session->command && session->command->json_lines && object)
		(void)json_object_set_new(object, "event", json_string("result"));
}

int print_result(const struct session *session, const void *data, size_t size, json_t *members, struct failure *err)
{
	json_t *object;

	if (!session->json) {
		json_decref(members);
		return print_bytes(data, size, err);
	}
	object =
		json_pack("{ss, si, ss, sb}", "command", command_name(session), "exit_code", EXIT_OK, "code", "ok", "retryable", 0);
	mark_result(session, object);
	if (members && object)
		(void)json_object_update(object, members);
	json_decref(members);
	return print_object(object, err);
}

void print_event(const struct session *session, json_t *event)
{
	struct failure ignored = {0};

	if (session->json && event)
		(void)print_object(event, &ignored);
	else
		json_decref(event);
}

int print_text(const struct session *session, const char *name, const char *text, struct failure *err)
{
	return print_result(session, text, strlen(text), json_pack("{ss}", name, text), err);
}

void print_talk(const char *text)
{
	(void)fputs(text, stderr);
}

/* Whatever a server sends stays one line and moves no cursor. */
static void print_clean(const char *text)
{
	bool space = false;

	for (const unsigned char *byte = (const unsigned char *)text; *byte; byte++) {
		if (*byte < 0x20 || *byte == 0x7f) {
			space = true;
			continue;
		}
		/* C1 control characters in UTF-8. */
		if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0) {
			byte++;
			continue;
		}
		if (space)
			(void)fputc(' ', stderr);
		space = false;
		(void)fputc(*byte, stderr);
	}
}

json_t *print_json_text(const char *message)
{
	json_t *value = json_string(message);
	AUTO(free_ptr) char *ascii = NULL;

	if (value)
		return value;
	ascii = strdup(message);
	for (char *byte = ascii; byte && *byte; byte++)
		if ((unsigned char)*byte >= 0x80)
			*byte = '?';
	return ascii ? json_string(ascii) : NULL;
}

void print_failure(const struct session *session, const struct failure *failure)
{
	struct failure ignored = {0};
	json_t *object;

	(void)fprintf(stderr, "pep-cli: ");
	if (session->command)
		(void)fprintf(stderr, "%s: ", session->command->name);
	print_clean(failure->message);
	if (failure->http_status)
		(void)fprintf(stderr, " [HTTP %ld %s%s%s]", failure->http_status, failure->code,
			      failure->request_id[0] ? ", request id " : "", failure->request_id);
	(void)fputc('\n', stderr);
	if (!session->json)
		return;
	object = json_pack("{ss, si, ss, sb}", "command", command_name(session), "exit_code", failure->exit_code, "code",
			   failure->code, "retryable", (int)failure->retryable);
	mark_result(session, object);
	if (object)
		(void)json_object_set_new(object, "message", print_json_text(failure->message));
	if (object && failure->http_status)
		(void)json_object_set_new(object, "http_status", json_integer(failure->http_status));
	if (object && failure->request_id[0])
		(void)json_object_set_new(object, "request_id", json_string(failure->request_id));
	(void)print_object(object, &ignored);
}

__attribute__((format(printf, 1, 0))) static void print_line(const char *format, va_list arguments)
{
	AUTO(free_ptr) char *line = NULL;

	if (vasprintf(&line, format, arguments) < 0) {
		line = NULL;
		return;
	}
	print_clean(line);
	(void)fputc('\n', stderr);
}

void print_note(const struct session *session, const char *format, ...)
{
	va_list arguments;

	if (session->quiet)
		return;
	va_start(arguments, format);
	print_line(format, arguments);
	va_end(arguments);
}

void print_verbose(const struct session *session, const char *format, ...)
{
	va_list arguments;

	if (!session->verbose || session->quiet)
		return;
	va_start(arguments, format);
	print_line(format, arguments);
	va_end(arguments);
}

bool print_shows_progress(const struct session *session)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && !session->quiet && !session->json && term && strcmp(term, "dumb") != 0;
}

void print_progress(const char *what, int64_t bytes, int64_t elapsed_ms)
{
	double megabytes = (double)bytes / 1e6;

	(void)fprintf(stderr, "\r\033[K%s: %.1f MB, %.1f MB/s", what, megabytes,
		      elapsed_ms > 0 ? megabytes * 1000 / (double)elapsed_ms : 0.0);
}

void print_progress_end(void)
{
	(void)fputs("\r\033[K", stderr);
}
