/* SPDX-License-Identifier: Apache-2.0
 *
 * subscriber_state.h - what the parts of a subscriber share: subscriber.c takes turns, subscriber_tell.c tells, subscriber_say.c says
 * how it goes. [one thread]
 */
#ifndef CORE_SERVICE_SUBSCRIBER_STATE_H
#define CORE_SERVICE_SUBSCRIBER_STATE_H

#include "core/service/subscriber.h"
#include "core/service/subscription.h"

#define SUBSCRIBER_TICK_MS 1000 /* the longest sleep, and the longest turn */
#define SUBSCRIBER_NOTE_MS 200  /* what was told in the last ones is told again if the server is killed */
#define SUBSCRIBER_BATCH 64u    /* records read at once */

struct subscriber {
	struct subscriber_setup setup;
	struct subscription subscription;
	struct subscriber_report report;
	int64_t late_ms; /* clock_boot_ms() of the last look for late ones; 0: never */
	/* What failed last, and how often in a row. */
	char head[PROGRESS_ID_SIZE];
	unsigned failures, refusals;
	int64_t not_before_ms; /* clock_boot_ms() */
	bool has_said_full;
	/* So many dead letters, the first ones, are to be tried once more, not before then (clock_boot_ms()). */
	size_t dead_left;
	int64_t dead_not_before_ms;
};

/* Records that are to be told, copied: no scan stays open while somebody else takes his time. */
struct batch {
	struct arena arena;
	const struct pep_identity *ids[SUBSCRIBER_BATCH];
	size_t count, told;            /* `told` of `count` */
	bool is_whole;                 /* there is nothing behind them */
	char passed[PROGRESS_ID_SIZE]; /* the last one that was looked at */
};

/* --- subscriber_say.c: the report, and a line in the log when the state changes --- */
void say_waiting(struct subscriber *subscriber, const struct pep_error *err);
void say_failing(struct subscriber *subscriber, const struct pep_identity *id, const struct pep_error *err);
void say_well(struct subscriber *subscriber);
void say_standby(struct subscriber *subscriber, const struct pep_error *err);
/* Into the report. */
void count_backlog(struct subscriber *subscriber);

/* --- subscriber_tell.c --- */
/* True: all of it. The first failure, and the time (clock_boot_ms() of the turn's beginning), end it. */
bool tell_batch(struct subscriber *subscriber, struct batch *batch, int64_t begun_ms);
/* Each dead letter is to be tried once more. */
void wish_dead(struct subscriber *subscriber);
/* Those that still are, while time is left. What is refused again goes to the end. */
void retry_dead(struct subscriber *subscriber, int64_t begun_ms);
/* Takes away what is not for the eyes of an exporter. */
void strip_record(struct pep_identity *id);

#endif
