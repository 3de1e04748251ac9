/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_json.c - the picture of the day as JSON.
 */
#include "core/base/cleanup.h"
#include "core/service/advice.h"
#include "core/service/journal_state.h"

#include <stdlib.h>

#define HOUR_MS INT64_C(3600000)

static void member(struct buffer *json, const char *name, const char *text)
{
	buffer_format(json, "\"%s\":", name);
	buffer_json_text(json, text && *text ? text : NULL);
}

/* What an entry says beside its station, without braces. */
static void write_result(struct buffer *json, const struct journal_entry *entry)
{
	buffer_format(json, "\"at_ms\":%lld,", (long long)entry->at_ms);
	member(json, "serial", entry->serial);
	buffer_byte(json, ',');
	member(json, "outcome", entry->outcome);
	buffer_byte(json, ',');
	member(json, "code", entry->code);
	buffer_byte(json, ',');
	member(json, "detail", entry->detail);
	buffer_byte(json, ',');
	member(json, "advice", advice_for(entry->code));
	buffer_format(json, ",\"ms\":%lld", (long long)entry->ms);
}

static void write_today(struct buffer *json, const struct journal *journal)
{
	buffer_format(json,
		      "\"today\":{\"since_ms\":%lld,\"units\":%lld,\"attempts\":%lld,\"first_attempts\":%lld,\"first_pass\":%lld,"
		      "\"failed\":%lld}",
		      (long long)journal->since_ms, (long long)journal->units, (long long)journal->attempts,
		      (long long)journal->first_attempts, (long long)journal->first_pass, (long long)journal->failed);
}

static void write_hours(struct buffer *json, const struct journal *journal, int64_t now_ms)
{
	int64_t start_ms = journal_hour_start(journal, now_ms) - (JOURNAL_HOURS - 1) * HOUR_MS;

	buffer_text(json, ",\"hours\":[");
	for (size_t i = 0; i < JOURNAL_HOURS; i++, start_ms += HOUR_MS) {
		const struct journal_hour *hour = &journal->hours[journal_hour_place(journal, start_ms)];
		bool is_it = hour->start_ms == start_ms;

		buffer_format(json, "%s{\"start_ms\":%lld,\"units\":%lld,\"failed\":%lld}", i ? "," : "", (long long)start_ms,
			      is_it ? (long long)hour->units : 0LL, is_it ? (long long)hour->failed : 0LL);
	}
	buffer_byte(json, ']');
}

static void write_stations(struct buffer *json, const struct journal *journal)
{
	buffer_text(json, ",\"stations\":[");
	for (size_t i = 0; i < journal->station_count; i++) {
		const struct journal_station *station = &journal->stations[i];

		buffer_text(json, i ? ",{" : "{");
		member(json, "station", station->last.station);
		buffer_format(json, ",\"units\":%lld,\"failed\":%lld,\"last\":{", (long long)station->units,
			      (long long)station->failed);
		write_result(json, &station->last);
		buffer_text(json, "}}");
	}
	buffer_byte(json, ']');
}

static void write_recent(struct buffer *json, const struct journal *journal)
{
	buffer_text(json, ",\"recent\":[");
	for (size_t i = 0; i < journal->recent_count; i++) {
		const struct journal_entry *entry =
			&journal->recent[(journal->recent_next + JOURNAL_RECENT - 1 - i) % JOURNAL_RECENT];

		buffer_text(json, i ? ",{" : "{");
		member(json, "station", entry->station);
		buffer_byte(json, ',');
		write_result(json, entry);
		buffer_byte(json, '}');
	}
	buffer_byte(json, ']');
}

static int more_first(const void *a, const void *b)
{
	const struct journal_failure *left = a, *right = b;

	return (left->count < right->count) - (left->count > right->count);
}

static void write_failures(struct buffer *json, struct journal *journal)
{
	/* Their order among themselves means nothing to who counts. */
	qsort(journal->failures, journal->failure_count, sizeof(journal->failures[0]), more_first);
	buffer_text(json, ",\"failures\":[");
	for (size_t i = 0; i < journal->failure_count; i++) {
		buffer_text(json, i ? ",{" : "{");
		member(json, "code", journal->failures[i].code);
		buffer_format(json, ",\"count\":%lld,", (long long)journal->failures[i].count);
		member(json, "advice", advice_for(journal->failures[i].code));
		buffer_byte(json, '}');
	}
	buffer_byte(json, ']');
}

void journal_write(struct journal *journal, int64_t now_ms, struct buffer *json)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&journal->mutex);

	(void)lock;
	journal_turn_day(journal, now_ms);
	write_today(json, journal);
	write_hours(json, journal, now_ms);
	write_stations(json, journal);
	write_recent(json, journal);
	write_failures(json, journal);
}
