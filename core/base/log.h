/* SPDX-License-Identifier: Apache-2.0
 *
 * log.h - one line per event on standard error, as logfmt or JSON. Every value is escaped, so no input can forge a line.
 */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h> /* LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG */

enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log_field {
	const char *key;  /* [a-z_]+; NULL ends a list */
	const char *text; /* NULL with is_text: the field is left out */
	int64_t number;
	bool is_text;
};
#define LOG_TEXT(key_, text_)                                   \
	{                                                       \
		.key = (key_), .text = (text_), .is_text = true \
	}
#define LOG_NUMBER(key_, number_)                  \
	{                                          \
		.key = (key_), .number = (number_) \
	}

/* What is written from now on: lines up to `level` (a syslog level). Before the first call: logfmt, LOG_INFO.
 * [one thread, at start] */
void log_setup(int level, enum log_format format);
/* Would a line of this level be written? [any thread] */
bool log_enabled(int level);
/* How many lines could not be written since the start: standard error is full or closed. [any thread] */
uint64_t log_dropped(void);
/* One line: time, level, message, fields; at most 4 kB: a field that does not fit is left out. [any thread] */
void log_fields(int level, const char *message, const struct log_field *fields);

/* log_event(LOG_INFO, "identity deployed", LOG_TEXT("serial", serial), LOG_NUMBER("ms", took_ms)); */
#define log_event(level, message, ...) log_fields((level), (message), (const struct log_field[]){__VA_ARGS__, {.key = NULL}})

#endif
