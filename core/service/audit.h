/* SPDX-License-Identifier: Apache-2.0
 *
 * audit.h - who did what, in a file that only grows: one JSON object a line, each sealed with the hash of the line before it.
 *
 * docs/audit.md has the form of a line and what the chain proves. One thread writes for all: those who wait share a sync, and what need not
 * be waited for is collected. All of it is
 * [any thread] but for opening and closing.
 */
#ifndef CORE_SERVICE_AUDIT_H
#define CORE_SERVICE_AUDIT_H

#include "core/service/audit_line.h"

#include <jansson.h>

struct audit;

struct audit_settings {       /* borrowed for the call */
	const char *folder;   /* audit.jsonl, and audit-000001.jsonl and so on: what it held before */
	const char *server;   /* the name on each line */
	int64_t segment_size; /* bytes after which audit.jsonl gets a number and a new one begins */
};

/* Continues the chain of the folder, or begins one, and locks it. What a loss of power left half written is cut off, and kept as an
 * event "torn"; lines that do not verify stay as they are, are told in the log and as an event "altered". PEP_CONFLICT: another process
 * has it. PEP_UNAVAILABLE: it cannot be read or written. [main thread] */
pep_status audit_open(const struct audit_settings *settings, struct audit **ret_audit, struct pep_error *err);
/* Writes what is kept, if that is possible now. NULL is fine. [main thread, after every other call returned] */
void audit_close(struct audit *audit);

/* For what has not been done yet. PEP_OK: the event is on disk. PEP_UNAVAILABLE: it is not there, and the change is to be refused. An event
 * is an object with at least "event" and "actor", and none of the members that a line has by itself: seq, time, server, prev, hash. Takes
 * over `event`; NULL: memory ran out while it was made. */
pep_status audit_append(struct audit *audit, json_t *event, struct pep_error *err);
/* For what has been done and cannot be refused any more. Returns at once; the event is on disk some milliseconds later, or kept in memory and
 * written as soon as that is possible. Takes over `event`; NULL is logged. */
void audit_record(struct audit *audit, json_t *event);
/* Returns when everything that was handed over before has been tried. */
void audit_flush(struct audit *audit);

/* Of the last event on disk; seq 0 and 64 zeros before the first. */
void audit_head(struct audit *audit, struct audit_head *ret_head);

struct audit_report {
	bool is_well;     /* the last write worked: else changes are refused */
	bool is_altered;  /* since this start something in the file was found that this server has not written so */
	unsigned waiting; /* events that are kept in memory */
};
void audit_report(struct audit *audit, struct audit_report *ret_report);

#endif
