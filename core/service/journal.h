/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.h - the picture of the day: what this server's line has made, hour by hour, station by station, and what went wrong.
 *
 * It is in memory, of bounded size, and fed with each attempt as it ends; the audit file is what it is made of again at a start.
 * Of several servers at one store each has its own. A day is one of the machine's time zone.
 */
#ifndef CORE_SERVICE_JOURNAL_H
#define CORE_SERVICE_JOURNAL_H

#include "core/base/buffer.h"

#include <pep/plugin.h>

#define JOURNAL_STATIONS 1000u /* those that were heard of last */
#define JOURNAL_RECENT 50u
#define JOURNAL_HOURS 24u
#define JOURNAL_FAILURES 48u /* codes */

/* How an attempt ended. Texts that are too long are cut. Borrowed for the call. */
struct journal_attempt {
	int64_t at_ms; /* since 1970 */
	const char *serial, *station;
	const char *outcome; /* deployed, replayed, refused, failed, in_doubt, not_done */
	const char *code;    /* as in Pep-Error; deployed for what was deployed */
	const char *detail;  /* why, for people; NULL or empty: nothing to say */
	int64_t ms;          /* it took */
	int64_t attempt;     /* of this serial: 1 for the first; 0: not known */
};

struct journal;

/* `now_ms`: what day it is. [any thread] */
pep_status journal_new(int64_t now_ms, struct journal **ret_journal, struct pep_error *err);
void journal_free(struct journal *journal); /* NULL is fine */

/* From when on attempts can be seen in it: 24 hours, or since midnight if that is longer ago. */
int64_t journal_since_ms(const struct journal *journal, int64_t now_ms);
/* What the audit in a folder has of that time, as if it were happening again. What cannot be read is left out of the picture. [before other
 * calls] */
pep_status journal_recall(struct journal *journal, const char *folder, int64_t now_ms, struct pep_error *err);
/* Count it. A replay is nobody's attempt: it is left out. [any thread] */
void journal_add(struct journal *journal, const struct journal_attempt *attempt);
/* Appends the members "today", "hours", "stations", "recent" and "failures" of a JSON object, with commas between them and none around
 * them; docs/openapi.yaml says what is in them. What failed is remembered by the buffer. [any thread] */
void journal_write(struct journal *journal, int64_t now_ms, struct buffer *json);

#endif
