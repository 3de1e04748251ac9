/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/journal.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/service/journal_state.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR_MS INT64_C(3600000)

static void copy(char *target, size_t size, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (length >= size) {
		length = size - 1;
		/* Not within a character. */
		while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	if (length)
		memcpy(target, text, length);
	target[length] = '\0';
	/* A plugin's message; no JSON may hold it as it is. */
	for (char *byte = target; !text_is_utf8(target, length) && *byte; byte++)
		if ((unsigned char)*byte > '~')
			*byte = '?';
}

/* The day and the hours of the time zone. Where its offset is not of full hours, hours begin when its clocks say so. */
static void find_day(struct journal *journal, int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm day = {0};

	(void)localtime_r(&now, &day);
	journal->zone_ms = (day.tm_gmtoff * INT64_C(1000)) % HOUR_MS;
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_isdst = -1;
	journal->since_ms = (int64_t)mktime(&day) * 1000;
	day.tm_mday++;
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_isdst = -1;
	journal->until_ms = (int64_t)mktime(&day) * 1000;
	/* A zone without a midnight on that day, or a clock that is off the calendar: still a day. */
	if (journal->since_ms > now_ms || journal->until_ms <= now_ms) {
		journal->since_ms = now_ms;
		journal->until_ms = now_ms + 24 * HOUR_MS;
	}
}

void journal_turn_day(struct journal *journal, int64_t now_ms)
{
	if (now_ms >= journal->since_ms && now_ms < journal->until_ms)
		return;
	find_day(journal, now_ms);
	journal->units = journal->attempts = journal->first_attempts = journal->first_pass = journal->failed = 0;
	journal->failure_count = 0;
	for (size_t i = 0; i < journal->station_count; i++)
		journal->stations[i].units = journal->stations[i].failed = 0;
}

int64_t journal_hour_start(const struct journal *journal, int64_t at_ms)
{
	int64_t rest = (at_ms + journal->zone_ms) % HOUR_MS;

	return at_ms - (rest < 0 ? rest + HOUR_MS : rest);
}

size_t journal_hour_place(const struct journal *journal, int64_t start_ms)
{
	return (size_t)(((start_ms + journal->zone_ms) / HOUR_MS) % JOURNAL_HOURS);
}

pep_status journal_new(int64_t now_ms, struct journal **ret_journal, struct pep_error *err)
{
	struct journal *journal = calloc(1, sizeof(*journal)); /* pages of stations that never come cost nothing */

	if (!journal)
		return pep_fail(err, PEP_NO_MEMORY, 0, "make the picture of the day: out of memory");
	(void)pthread_mutex_init(&journal->mutex, NULL);
	find_day(journal, now_ms);
	*ret_journal = journal;
	return PEP_OK;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	(void)pthread_mutex_destroy(&journal->mutex);
	free(journal);
}

int64_t journal_since_ms(const struct journal *journal, int64_t now_ms)
{
	int64_t first_hour = journal_hour_start(journal, now_ms) - (JOURNAL_HOURS - 1) * HOUR_MS;

	return first_hour < journal->since_ms ? first_hour : journal->since_ms;
}

/* --- one attempt --- */

static void fill_entry(struct journal_entry *entry, const struct journal_attempt *attempt)
{
	entry->at_ms = attempt->at_ms;
	entry->ms = attempt->ms;
	copy(entry->serial, sizeof(entry->serial), attempt->serial);
	copy(entry->station, sizeof(entry->station), attempt->station);
	copy(entry->outcome, sizeof(entry->outcome), attempt->outcome);
	copy(entry->code, sizeof(entry->code), attempt->code);
	copy(entry->detail, sizeof(entry->detail), attempt->detail);
}

static void add_recent(struct journal *journal, const struct journal_entry *entry)
{
	journal->recent[journal->recent_next] = *entry;
	journal->recent_next = (journal->recent_next + 1) % JOURNAL_RECENT;
	if (journal->recent_count < JOURNAL_RECENT)
		journal->recent_count++;
}

/* By its name; a new one takes the place of the one that was not heard of for longest if there is no other. */
static struct journal_station *station_of(struct journal *journal, const char *name)
{
	struct journal_station *oldest = journal->stations;

	for (size_t i = 0; i < journal->station_count; i++) {
		if (strcmp(journal->stations[i].last.station, name) == 0)
			return &journal->stations[i];
		if (journal->stations[i].last.at_ms < oldest->last.at_ms)
			oldest = &journal->stations[i];
	}
	if (journal->station_count < JOURNAL_STATIONS)
		oldest = &journal->stations[journal->station_count++];
	oldest->units = oldest->failed = 0;
	return oldest;
}

static void add_hour(struct journal *journal, int64_t at_ms, bool is_unit)
{
	int64_t start_ms = journal_hour_start(journal, at_ms);
	struct journal_hour *hour = &journal->hours[journal_hour_place(journal, start_ms)];

	if (start_ms < hour->start_ms)
		return;
	if (start_ms > hour->start_ms)
		*hour = (struct journal_hour){.start_ms = start_ms};
	hour->units += is_unit;
	hour->failed += !is_unit;
}

static void add_failure(struct journal *journal, const char *code)
{
	size_t i = 0;

	while (i < journal->failure_count && strcmp(journal->failures[i].code, code) != 0)
		i++;
	if (i == JOURNAL_FAILURES)
		return; /* there are fewer codes than that */
	if (i == journal->failure_count) {
		journal->failures[i].count = 0;
		copy(journal->failures[i].code, sizeof(journal->failures[i].code), code);
		journal->failure_count++;
	}
	journal->failures[i].count++;
}

static void add_today(struct journal *journal, const struct journal_entry *entry, bool is_unit, bool is_first)
{
	journal->attempts++;
	journal->units += is_unit;
	journal->first_attempts += is_first;
	journal->first_pass += is_unit && is_first;
	journal->failed += !is_unit;
	if (!is_unit)
		add_failure(journal, entry->code);
}

void journal_add(struct journal *journal, const struct journal_attempt *attempt)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&journal->mutex);
	bool is_unit = attempt->outcome && strcmp(attempt->outcome, "deployed") == 0;
	struct journal_station *station;
	struct journal_entry entry;
	bool is_today;

	(void)lock;
	if (attempt->outcome && strcmp(attempt->outcome, "replayed") == 0)
		return;
	fill_entry(&entry, attempt);
	if (entry.at_ms >= journal->until_ms)
		journal_turn_day(journal, entry.at_ms);
	is_today = entry.at_ms >= journal->since_ms;
	station = station_of(journal, entry.station);
	station->last = entry;
	add_recent(journal, &entry);
	add_hour(journal, entry.at_ms, is_unit);
	if (!is_today)
		return;
	/* Who was refused by this server has not been tried: what its record says is of before. */
	add_today(journal, &entry, is_unit, attempt->attempt == 1 && strcmp(entry.outcome, "refused") != 0);
	station->units += is_unit;
	station->failed += !is_unit;
}
