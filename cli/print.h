/* SPDX-License-Identifier: Apache-2.0
 *
 * print.h - results to stdout, all talk to stderr. One thread.
 */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "cli/session.h"

#include <jansson.h>
#include <stddef.h>

/* The result of the command: `size` bytes as they are or, with --json, one object made of `members` (taken over; NULL: none) and
 * the common ones. EXIT_LOCAL_FILE if stdout does not take it, or the code of a signal. */
int print_result(const struct session *session, const void *data, size_t size, json_t *members, struct failure *err);
/* With --json one line before the result: the object, taken over (NULL: none). Whether stdout takes it is found out by the result. */
void print_event(const struct session *session, json_t *event);
/* A text that may hold a stranger's bytes, or end in the middle of a character; what is no UTF-8 becomes ?. NULL: out of memory. */
json_t *print_json_text(const char *message);
/* As print_result() for a text; with --json it is the member `name`. */
int print_text(const struct session *session, const char *name, const char *text, struct failure *err);
/* Bytes to stdout, as they come. As print_result(). */
int print_bytes(const void *data, size_t size, struct failure *err);

/* A failure: one line on stderr and, with --json, an object on stdout. */
void print_failure(const struct session *session, const struct failure *failure);
/* A line on stderr unless --quiet. */
__attribute__((format(printf, 2, 3))) void print_note(const struct session *session, const char *format, ...);
/* A line on stderr with -v. */
__attribute__((format(printf, 2, 3))) void print_verbose(const struct session *session, const char *format, ...);
/* A text as it is, on stderr. */
void print_talk(const char *text);

/* Whether a line may be drawn over itself: stderr is a terminal that can do it, and nobody wants silence or JSON. */
bool print_shows_progress(const struct session *session);
/* Bytes so far and per second, over the line before. */
void print_progress(const char *what, int64_t bytes, int64_t elapsed_ms);
void print_progress_end(void);

#endif
