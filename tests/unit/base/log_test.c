/* SPDX-License-Identifier: Apache-2.0
 *
 * log_test.c - one event is one line, whatever is in it. Standard error goes through a pipe.
 */
#include "core/base/log.h"
#include "core/base/text.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const hostile[] = {
	"a\nts=2027-01-01T00:00:00.000Z level=info msg=forged",
	"a\r\nlevel=error",
	"\" level=error msg=\"forged",
	"\",\"level\":\"error",
	"x level=error",
	"a=b",
	"\\",
	"\\\"",
	"\x1b[2J",
	"\x7f",
	"\xc2\x85new line",
	"\xc2\x9b?25l",
	"\xff\xfe",
	"\xed\xa0\x80",
	"",
	" ",
	"Ger\xc3\xa4t",
};
#define HOSTILE_COUNT (sizeof(hostile) / sizeof(hostile[0]))

/* Standard error, while somebody listens. */
struct ear {
	int saved, pipe[2];
	char text[65536];
	size_t size;
};

static void listen_on(struct ear *ear)
{
	assert_int_equal(pipe(ear->pipe), 0);
	assert_true(fcntl(ear->pipe[0], F_SETFL, O_NONBLOCK) >= 0);
	ear->saved = dup(STDERR_FILENO);
	assert_true(ear->saved >= 0);
	assert_true(dup2(ear->pipe[1], STDERR_FILENO) >= 0);
}

static const char *heard(struct ear *ear)
{
	ssize_t size;

	assert_true(dup2(ear->saved, STDERR_FILENO) >= 0);
	size = read(ear->pipe[0], ear->text, sizeof(ear->text) - 1);
	(void)close(ear->saved);
	(void)close(ear->pipe[0]);
	(void)close(ear->pipe[1]);
	ear->size = size > 0 ? (size_t)size : 0;
	ear->text[ear->size] = '\0';
	return ear->text;
}

static const char *hear_field(struct ear *ear, const char *message, const char *value)
{
	listen_on(ear);
	log_event(LOG_INFO, message, LOG_TEXT("before", "b"), LOG_TEXT("value", value), LOG_NUMBER("after", 7));
	return heard(ear);
}

static void assert_one_line(const struct ear *ear)
{
	assert_true(ear->size > 0);
	assert_int_equal(strlen(ear->text), ear->size); /* no NUL */
	assert_ptr_equal(strchr(ear->text, '\n'), ear->text + ear->size - 1);
	assert_true(text_is_printable(ear->text, ear->size - 1));
}

static void logfmt_of_a_plain_event(void **state)
{
	struct ear ear;
	const char *line;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_LOGFMT);
	line = hear_field(&ear, "it happened", "plain-1");
	assert_memory_equal(line, "ts=20", 5);
	assert_int_equal(line[27 - 1], 'Z'); /* ts=2027-01-01T00:00:00.000Z */
	assert_string_equal(line + 27, " level=info msg=\"it happened\" before=b value=plain-1 after=7\n");
}

static void json_of_a_plain_event(void **state)
{
	struct ear ear;
	const char *line;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_JSON);
	line = hear_field(&ear, "it happened", "plain-1");
	assert_memory_equal(line, "{\"ts\":\"20", 9);
	assert_non_null(strstr(
		line, "Z\",\"level\":\"info\",\"msg\":\"it happened\",\"before\":\"b\",\"value\":\"plain-1\",\"after\":7}\n"));
}

static void levels(void **state)
{
	static const char *const names[] = {"error", "error", "error", "error", "warning", "info", "info", "debug"};
	struct ear ear;

	(void)state;
	log_setup(LOG_DEBUG, LOG_FORMAT_LOGFMT);
	for (int level = 0; level <= LOG_DEBUG; level++) {
		char expected[32];

		listen_on(&ear);
		log_event(level, "m", LOG_NUMBER("n", 1));
		(void)snprintf(expected, sizeof(expected), " level=%s msg=m n=1\n", names[level]);
		assert_non_null(strstr(heard(&ear), expected));
	}
	log_setup(LOG_WARNING, LOG_FORMAT_LOGFMT);
	assert_true(log_enabled(LOG_WARNING));
	assert_false(log_enabled(LOG_INFO));
	assert_string_equal(hear_field(&ear, "not written", "x"), "");
}

static void absent_fields_are_left_out(void **state)
{
	struct ear ear;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_LOGFMT);
	assert_non_null(strstr(hear_field(&ear, "m", NULL), " msg=m before=b after=7\n"));
	listen_on(&ear);
	log_fields(LOG_INFO, "m", NULL);
	assert_non_null(strstr(heard(&ear), " level=info msg=m\n"));
}

/* A hostile value stays inside its quotes: what is in front and behind is as it was. */
static void no_value_forges_logfmt(void **state)
{
	struct ear ear;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_LOGFMT);
	for (size_t i = 0; i < HOSTILE_COUNT; i++) {
		const char *start = strstr(hear_field(&ear, "m", hostile[i]), " value=");
		const char *at;

		assert_one_line(&ear);
		assert_non_null(start);
		at = start + strlen(" value=");
		if (*at == '"') {
			for (at++; *at && *at != '"'; at++)
				at += *at == '\\';
			at++;
		} else {
			at += strcspn(at, " ");
		}
		assert_string_equal(at, " after=7\n");
	}
}

static void no_value_forges_json(void **state)
{
	struct ear ear;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_JSON);
	for (size_t i = 0; i < HOSTILE_COUNT; i++) {
		json_t *json = json_loads(hear_field(&ear, hostile[i], hostile[i]), JSON_REJECT_DUPLICATES, NULL);
		bool is_utf8 = text_is_utf8(hostile[i], strlen(hostile[i]));

		assert_one_line(&ear);
		assert_non_null(json);
		assert_int_equal(json_object_size(json), 6);
		assert_string_equal(json_string_value(json_object_get(json, "value")), is_utf8 ? hostile[i] : "(not UTF-8)");
		assert_string_equal(json_string_value(json_object_get(json, "level")), "info");
		json_decref(json);
	}
}

/* The field, or the message, that does not fit is left out; the line stays whole. */
static void an_over_long_line(void **state)
{
	static char text[8192];
	struct ear ear;

	(void)state;
	for (size_t size = 3900; size < 4200; size++) {
		json_t *json;

		memset(text, 'x', size);
		text[size] = '\0';
		log_setup(LOG_INFO, LOG_FORMAT_JSON);
		json = json_loads(hear_field(&ear, "m", text), JSON_REJECT_DUPLICATES, NULL);
		assert_one_line(&ear);
		assert_true(ear.size <= 4096);
		assert_non_null(json);
		if (json_object_get(json, "value"))
			assert_int_equal(json_string_length(json_object_get(json, "value")), size);
		else
			assert_int_equal(json_integer_value(json_object_get(json, "after")), 7);
		json_decref(json);
		json = json_loads(hear_field(&ear, text, "v"), JSON_REJECT_DUPLICATES, NULL);
		assert_one_line(&ear);
		assert_non_null(json);
		json_decref(json);
		log_setup(LOG_INFO, LOG_FORMAT_LOGFMT);
		(void)hear_field(&ear, text, text);
		assert_one_line(&ear);
		assert_true(ear.size <= 4096);
	}
	/* Escaping makes it longer than it is. */
	memset(text, '\n', 2000);
	text[2000] = '\0';
	assert_non_null(strstr(hear_field(&ear, "m", text), " msg=m before=b value=\"\\n\\n"));
	memset(text, 1, 700);
	text[700] = '\0';
	assert_non_null(strstr(hear_field(&ear, "m", text), " msg=m before=b after=7\n"));
}

enum { THREADS = 4, LINES = 50 };

static void *write_lines(void *context)
{
	for (int i = 0; i < LINES; i++)
		log_event(LOG_INFO, "from a thread", LOG_TEXT("value", context));
	return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
	struct ear ear;
	pthread_t threads[THREADS];
	char value[] = "0123456789012345678901234567890123456789";
	unsigned count = 0;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_LOGFMT);
	listen_on(&ear);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, value), 0);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	for (const char *line = heard(&ear); *line; line = strchr(line, '\n') + 1, count++) {
		assert_memory_equal(line, "ts=20", 5);
		assert_memory_equal(line + 27, " level=info msg=\"from a thread\" value=0123456789012345678901234567890123456789\n",
				    79);
	}
	assert_int_equal(count, THREADS * LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logfmt_of_a_plain_event),
		cmocka_unit_test(json_of_a_plain_event),
		cmocka_unit_test(levels),
		cmocka_unit_test(absent_fields_are_left_out),
		cmocka_unit_test(no_value_forges_logfmt),
		cmocka_unit_test(no_value_forges_json),
		cmocka_unit_test(an_over_long_line),
		cmocka_unit_test(lines_of_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
