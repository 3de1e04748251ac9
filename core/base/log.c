/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/log.h"

#include "core/base/buffer.h"
#include "core/base/text.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_LIMIT 4096u

static int log_level = LOG_INFO;
static enum log_format log_format = LOG_FORMAT_LOGFMT;
static _Atomic(uint64_t) dropped; /* the log is one for the whole process, and so is this */

void log_setup(int level, enum log_format format)
{
	log_level = level;
	log_format = format;
}

uint64_t log_dropped(void)
{
	return atomic_load_explicit(&dropped, memory_order_relaxed);
}

bool log_enabled(int level)
{
	return level <= log_level;
}

static const char *level_name(int level)
{
	static const char *const names[] = {"error", "error", "error", "error", "warning", "info", "info", "debug"};

	return names[level & 7];
}

/* 2026-11-23T14:08:00.123Z. The part up to the second is made once a second and thread: strftime() would look at the time zone's file
 * for every line. */
static void timestamp(char ret_text[32])
{
	static _Thread_local time_t made_for = -1;
	static _Thread_local char second_text[sizeof("2026-11-23T14:08:00.")];
	struct timespec now = {0};
	unsigned milliseconds;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != made_for) {
		struct tm utc = {0};

		(void)gmtime_r(&now.tv_sec, &utc);
		(void)strftime(second_text, sizeof(second_text), "%Y-%m-%dT%H:%M:%S.", &utc);
		made_for = now.tv_sec;
	}
	memcpy(ret_text, second_text, sizeof(second_text) - 1);
	milliseconds = (unsigned)(now.tv_nsec / 1000000);
	ret_text[20] = (char)('0' + milliseconds / 100 % 10);
	ret_text[21] = (char)('0' + milliseconds / 10 % 10);
	ret_text[22] = (char)('0' + milliseconds % 10);
	memcpy(ret_text + 23, "Z", 2);
}

/* logfmt leaves a value bare if nothing in it could end it. */
static bool is_bare(const char *text)
{
	return *text && !strpbrk(text, " =\"\\") && text_is_printable(text, strlen(text));
}

static void append_text(struct buffer *line, const char *text)
{
	if (log_format == LOG_FORMAT_LOGFMT && is_bare(text))
		buffer_text(line, text);
	else if (text_is_utf8(text, strlen(text)))
		buffer_json_text(line, text);
	else
		buffer_text(line, "\"(not UTF-8)\"");
}

static void append_key(struct buffer *line, const char *key)
{
	if (log_format == LOG_FORMAT_JSON)
		buffer_text(line, line->size > 1 ? ",\"" : "\"");
	else if (line->size)
		buffer_byte(line, ' ');
	buffer_text(line, key);
	buffer_text(line, log_format == LOG_FORMAT_JSON ? "\":" : "=");
}

static void append_field(struct buffer *line, const struct log_field *field)
{
	if (field->is_text && !field->text)
		return;
	append_key(line, field->key);
	if (field->is_text)
		append_text(line, field->text);
	else
		buffer_number(line, field->number);
}

/* What does not fit is left out, the others stay whole. */
static void append_if_it_fits(struct buffer *line, const struct log_field *field)
{
	size_t whole = line->size;

	append_field(line, field);
	if (line->failed) {
		line->size = whole;
		line->failed = false;
	}
}

void log_fields(int level, const char *message, const struct log_field *fields)
{
	char memory[LINE_LIMIT];
	char now[32];
	/* The line stays on the stack: logging works without memory, and never allocates. */
	struct buffer line = {.data = memory, .room = sizeof(memory), .limit = sizeof(memory) - 2};
	struct log_field head[] = {LOG_TEXT("ts", now), LOG_TEXT("level", level_name(level)), LOG_TEXT("msg", message)};

	if (!log_enabled(level))
		return;
	timestamp(now);
	if (log_format == LOG_FORMAT_JSON)
		buffer_byte(&line, '{');
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		append_if_it_fits(&line, &head[i]);
	for (; fields && fields->key; fields++)
		append_if_it_fits(&line, fields);
	if (log_format == LOG_FORMAT_JSON)
		memory[line.size++] = '}';
	memory[line.size++] = '\n';
	/* One write per line: lines of several threads never mix. A full or closed standard error can only be counted. */
	if (write(STDERR_FILENO, memory, line.size) != (ssize_t)line.size)
		atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
}
