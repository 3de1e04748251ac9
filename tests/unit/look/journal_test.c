/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_test.c - the picture of the day: what is counted where, what is kept, and that a start makes the same picture again.
 */
#include "core/base/cleanup.h"
#include "core/base/json.h"
#include "core/service/advice.h"
#include "core/service/audit_line.h"
#include "core/service/journal.h"
#include "core/service/meters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define HOUR INT64_C(3600000)
#define NOON INT64_C(1795521600000) /* 2026-11-24T12:00:00Z */

static struct journal *make(int64_t now_ms)
{
	struct pep_error err = {0};
	struct journal *journal = NULL;

	assert_int_equal(journal_new(now_ms, &journal, &err), PEP_OK);
	return journal;
}

static json_t *picture(struct journal *journal, int64_t now_ms)
{
	struct pep_error err = {0};
	struct buffer text;
	json_t *json = NULL;

	buffer_init(&text, 1 << 22);
	buffer_byte(&text, '{');
	journal_write(journal, now_ms, &text);
	buffer_byte(&text, '}');
	assert_false(text.failed);
	if (json_parse_text(text.data, text.size, &json, &err) != PEP_OK)
		fail_msg("%s: %.*s", err.message, (int)text.size, text.data);
	buffer_fini(&text);
	return json;
}

static json_int_t number(const json_t *json, const char *first, const char *second)
{
	const json_t *found = json_object_get(json_object_get(json, first), second);

	assert_non_null(found);
	return json_integer_value(found);
}

static void add(struct journal *journal, int64_t at_ms, const char *station, const char *outcome, const char *code, int64_t attempt)
{
	const struct journal_attempt made = {.at_ms = at_ms,
					     .serial = "S-1",
					     .station = station,
					     .outcome = outcome,
					     .code = code,
					     .detail = "why",
					     .ms = 7,
					     .attempt = attempt};

	journal_add(journal, &made);
}

static const json_t *station(const json_t *json, const char *name)
{
	const json_t *each;
	size_t i;

	json_array_foreach(json_object_get(json, "stations"), i, each)
	{
		if (strcmp(json_string_value(json_object_get(each, "station")), name) == 0)
			return each;
	}
	return NULL;
}

static void counts(void **state)
{
	struct journal *journal = make(NOON);
	json_t *json;
	const json_t *failures;

	(void)state;
	add(journal, NOON + 1, "a", "deployed", "deployed", 1);
	add(journal, NOON + 2, "a", "failed", "gateway_unreachable", 1);
	add(journal, NOON + 3, "b", "failed", "gateway_refused", 1);
	add(journal, NOON + 4, "b", "failed", "gateway_refused", 2);
	add(journal, NOON + 5, "b", "deployed", "deployed", 3);
	add(journal, NOON + 6, "b", "replayed", "replayed", 3);
	json = picture(journal, NOON + 10);
	assert_int_equal(number(json, "today", "since_ms"), NOON - 12 * HOUR);
	assert_int_equal(number(json, "today", "units"), 2);
	assert_int_equal(number(json, "today", "attempts"), 5);
	assert_int_equal(number(json, "today", "first_pass"), 1);
	assert_int_equal(number(json, "today", "failed"), 3);
	assert_int_equal(json_integer_value(json_object_get(station(json, "b"), "units")), 1);
	assert_int_equal(json_integer_value(json_object_get(station(json, "b"), "failed")), 2);
	/* A replay is nobody's last result. */
	assert_string_equal(json_string_value(json_object_get(json_object_get(station(json, "b"), "last"), "code")), "deployed");
	assert_string_equal(json_string_value(json_object_get(json_object_get(station(json, "a"), "last"), "advice")),
			    advice_for("gateway_unreachable"));
	failures = json_object_get(json, "failures");
	assert_int_equal(json_array_size(failures), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(failures, 0), "code")), "gateway_refused");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(failures, 0), "count")), 2);
	json_decref(json);
	journal_free(journal);
}

static void hours(void **state)
{
	struct journal *journal = make(NOON);
	const json_t *list;
	json_t *json;

	(void)state;
	add(journal, NOON - 23 * HOUR, "a", "deployed", "deployed", 1);
	add(journal, NOON + HOUR / 2, "a", "deployed", "deployed", 1);
	add(journal, NOON + HOUR - 1, "a", "failed", "in_doubt", 1);
	json = picture(journal, NOON + HOUR - 1);
	list = json_object_get(json, "hours");
	assert_int_equal(json_array_size(list), 24);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 23), "start_ms")), NOON);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 23), "units")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 23), "failed")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "units")), 1);
	/* Yesterday's is in its hour, and not in today. */
	assert_int_equal(number(json, "today", "units"), 1);
	json_decref(json);
	/* An hour later the first is out of sight, and its place is another's. */
	json = picture(journal, NOON + HOUR);
	list = json_object_get(json, "hours");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 23), "units")), 0);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 22), "units")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "units")), 0);
	json_decref(json);
	journal_free(journal);
}

/* The last result of a station stays until its next unit; all else begins anew. */
static void midnight(void **state)
{
	struct journal *journal = make(NOON);
	json_t *json;

	(void)state;
	add(journal, NOON, "a", "failed", "gateway_refused", 1);
	json = picture(journal, NOON + 12 * HOUR);
	assert_int_equal(number(json, "today", "since_ms"), NOON + 12 * HOUR);
	assert_int_equal(number(json, "today", "attempts"), 0);
	assert_int_equal(json_array_size(json_object_get(json, "failures")), 0);
	assert_int_equal(json_integer_value(json_object_get(station(json, "a"), "failed")), 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(station(json, "a"), "last"), "code")),
			    "gateway_refused");
	json_decref(json);
	journal_free(journal);
}

static void days_of_a_time_zone(void **state)
{
	struct journal *journal;
	const json_t *list;
	json_t *json;

	(void)state;
	assert_int_equal(setenv("TZ", "XST-5:30", 1), 0); /* 5 h 30 min before Greenwich */
	tzset();
	journal = make(NOON);
	json = picture(journal, NOON);
	assert_int_equal(number(json, "today", "since_ms"), NOON - 17 * HOUR - HOUR / 2);
	list = json_object_get(json, "hours");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 23), "start_ms")), NOON - HOUR / 2);
	json_decref(json);
	journal_free(journal);
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
}

static void bounds(void **state)
{
	struct journal *journal = make(NOON);
	char name[32];
	json_t *json;

	(void)state;
	for (unsigned i = 0; i < JOURNAL_STATIONS + 5; i++) {
		(void)snprintf(name, sizeof(name), "station %u", i);
		add(journal, NOON + i, name, "deployed", "deployed", 1);
	}
	for (unsigned i = 0; i < JOURNAL_FAILURES + 5; i++) {
		(void)snprintf(name, sizeof(name), "code %u", i);
		add(journal, NOON + 5000, "station 500", "failed", name, 1);
	}
	json = picture(journal, NOON + 6000);
	assert_int_equal(json_array_size(json_object_get(json, "stations")), JOURNAL_STATIONS);
	assert_null(station(json, "station 0"));
	assert_null(station(json, "station 4"));
	assert_non_null(station(json, "station 5"));
	assert_non_null(station(json, "station 1004"));
	assert_int_equal(json_array_size(json_object_get(json, "recent")), JOURNAL_RECENT);
	assert_int_equal(json_array_size(json_object_get(json, "failures")), JOURNAL_FAILURES);
	json_decref(json);
	journal_free(journal);
}

/* Newest first; and nothing that a gateway says breaks the page. */
static void texts(void **state)
{
	struct journal *journal = make(NOON);
	struct journal_attempt attempt = {.at_ms = NOON, .outcome = "failed", .code = "gateway_refused"};
	char text[400];
	json_t *json;
	const char *seen;

	(void)state;
	journal_add(journal, &attempt);
	memset(text, 'x', sizeof(text));
	memcpy(text + 254, "\xe2\x82\xac", 3); /* would be cut inside */
	text[sizeof(text) - 1] = '\0';
	attempt.serial = attempt.station = attempt.detail = text;
	journal_add(journal, &attempt);
	attempt.detail = "bad \xff byte \"quoted\"";
	journal_add(journal, &attempt);
	json = picture(journal, NOON);
	seen = json_string_value(json_object_get(json_array_get(json_object_get(json, "recent"), 0), "detail"));
	assert_string_equal(seen, "bad ? byte \"quoted\"");
	seen = json_string_value(json_object_get(json_array_get(json_object_get(json, "recent"), 1), "detail"));
	assert_int_equal(strlen(seen), 254);
	assert_true(json_is_null(json_object_get(json_array_get(json_object_get(json, "recent"), 2), "detail")));
	json_decref(json);
	journal_free(journal);
}

static void every_advice_is_a_sentence(void **state)
{
	/* Before an attempt is made; what it can end with is meters_endings. */
	static const char *const refusals[] = {"bad_argument",      "bad_request", "endpoint_not_allowed",
					       "not_authenticated", "not_allowed", "too_many_requests",
					       "internal"};
	static const char *const renamed[] = {"unauthorized", "forbidden", "rate_limited"};

	(void)state;
	for (size_t i = 0; meters_endings[i].result; i++) {
		const char *reason = meters_endings[i].reason, *advice = advice_for(reason);

		assert_int_equal(advice != NULL, strcmp(reason, "deployed") != 0 && strcmp(reason, "replayed") != 0 &&
							 strcmp(reason, "other") != 0);
		assert_true(!advice || advice[strlen(advice) - 1] == '.');
	}
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		assert_non_null(advice_for(refusals[i]));
	for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++)
		assert_null(advice_for(renamed[i]));
	assert_null(advice_for("unheard of"));
	assert_null(advice_for(NULL));
}

/* --- after a start --- */

static void write_event(FILE *file, struct audit_head *head, int64_t at_ms, const char *members)
{
	char time[AUDIT_TIME_SIZE + 1];
	struct buffer line;

	buffer_init(&line, AUDIT_LINE_LIMIT);
	audit_time(at_ms, time);
	audit_line_seal(&line, head, time, "test", members);
	assert_false(line.failed);
	assert_int_equal(fwrite(line.data, 1, line.size, file), line.size);
	buffer_fini(&line);
}

static FILE *open_file(const char *folder, const char *name)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	return file;
}

static void a_start_makes_the_picture_again(void **state)
{
	static const char good[] =
		"\"event\":\"provision\",\"actor\":\"x\",\"serial\":\"S-9\",\"station\":\"a\",\"outcome\":\"deployed\","
		"\"code\":\"deployed\",\"ms\":5,\"attempt\":1";
	static const char bad[] =
		"\"event\":\"provision\",\"actor\":\"x\",\"serial\":\"S-8\",\"station\":\"b\",\"outcome\":\"failed\","
		"\"code\":\"gateway_refused\",\"detail\":\"no\",\"ms\":5,\"attempt\":2";
	static const char other[] = "\"event\":\"start\",\"actor\":\"server\"";
	char folder[] = "/tmp/pep-journal-XXXXXX", path[256];
	struct audit_head head = audit_genesis;
	struct journal *journal = make(NOON);
	struct pep_error err = {0};
	json_t *json;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	file = open_file(folder, "audit-000001.jsonl");
	for (int i = 0; i < 3000; i++) /* days ago, more than can be read at once */
		write_event(file, &head, NOON - 72 * HOUR + i * INT64_C(1000), good);
	write_event(file, &head, NOON - 13 * HOUR, good); /* yesterday */
	assert_int_equal(fclose(file), 0);
	file = open_file(folder, "audit.jsonl");
	write_event(file, &head, NOON - 12 * HOUR, good); /* midnight */
	write_event(file, &head, NOON - 2 * HOUR, other);
	(void)fputs("{\"event\":\"provision\",\"no\":\"line\n\n", file);
	write_event(file, &head, NOON - HOUR, bad);
	write_event(file, &head, NOON + HOUR, good); /* by a clock that was ahead */
	assert_int_equal(fclose(file), 0);
	assert_int_equal(journal_recall(journal, folder, NOON, &err), PEP_OK);
	json = picture(journal, NOON);
	assert_int_equal(number(json, "today", "attempts"), 2);
	assert_int_equal(number(json, "today", "units"), 1);
	assert_int_equal(number(json, "today", "first_pass"), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(json, "hours"), 10), "units")), 1);
	assert_int_equal(json_array_size(json_object_get(json, "recent")), 3);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(json, "recent"), 0), "at_ms")),
			 NOON - HOUR);
	assert_string_equal(json_string_value(json_object_get(json_object_get(station(json, "b"), "last"), "detail")), "no");
	json_decref(json);
	journal_free(journal);
	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", folder);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/audit-000001.jsonl", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	journal = make(NOON);
	assert_int_equal(journal_recall(journal, folder, NOON, &err), PEP_NOT_FOUND);
	journal_free(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(hours),
		cmocka_unit_test(midnight),
		cmocka_unit_test(days_of_a_time_zone),
		cmocka_unit_test(bounds),
		cmocka_unit_test(texts),
		cmocka_unit_test(every_advice_is_a_sentence),
		cmocka_unit_test(a_start_makes_the_picture_again),
	};

	(void)setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
