/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_state.h - what the parts of the journal share: journal.c counts, journal_json.c writes. Under the lock.
 */
#ifndef CORE_SERVICE_JOURNAL_STATE_H
#define CORE_SERVICE_JOURNAL_STATE_H

#include "core/service/journal.h"

#include <pthread.h>

struct journal_entry {
	int64_t at_ms, ms;
	char serial[65], station[129], outcome[12], code[32], detail[257];
};

struct journal_station {
	int64_t units, failed;     /* today */
	struct journal_entry last; /* its name is in there; kept until its next attempt, also over midnight */
};

struct journal_hour {
	int64_t start_ms, units, failed;
};

struct journal_failure {
	char code[32];
	int64_t count;
};

struct journal {
	pthread_mutex_t mutex;
	int64_t since_ms, until_ms; /* today */
	int64_t zone_ms;            /* where full hours begin: what is left when UTC's are taken away */
	int64_t units, attempts, first_attempts, first_pass, failed;
	struct journal_hour hours[JOURNAL_HOURS]; /* the place of an hour is its number modulo the size */
	struct journal_failure failures[JOURNAL_FAILURES];
	size_t failure_count;
	struct journal_entry recent[JOURNAL_RECENT]; /* a ring: the newest before `recent_next` */
	size_t recent_count, recent_next;
	size_t station_count;
	struct journal_station stations[JOURNAL_STATIONS];
};

/* The hour of a moment: when it began, and its place. */
int64_t journal_hour_start(const struct journal *journal, int64_t at_ms);
size_t journal_hour_place(const struct journal *journal, int64_t start_ms);
/* Begin a new day if it is one. */
void journal_turn_day(struct journal *journal, int64_t now_ms);

#endif
