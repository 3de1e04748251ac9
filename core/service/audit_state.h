/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_state.h - the inside of the audit, for audit*.c: events on their way to the disk, and what the thread and its callers share.
 */
#ifndef CORE_SERVICE_AUDIT_STATE_H
#define CORE_SERVICE_AUDIT_STATE_H

#include "core/service/audit.h"
#include "core/service/audit_file.h"

#include <pthread.h>
#include <semaphore.h>

#define AUDIT_KEPT_MAX 10000u /* events in memory while the disk does not take them: some megabytes */

/* An event on its way to the disk. */
struct audit_entry {
	struct audit_entry *next;
	char *members; /* what is between its braces; NULL: no event, but somebody who waits for all before */
	int64_t at_ms;
	bool is_done_already;  /* cannot be refused: kept until it is written */
	pep_status status;     /* of the first try */
	struct pep_error *err; /* the caller's until `done` is posted */
	sem_t *done;           /* NULL: nobody waits, or not any more */
};

struct audit_queue {
	struct audit_entry *first, **end;
	unsigned count;
};

struct audit {
	pthread_t thread;
	char server[65];
	off_t segment_size;
	/* the thread's own */
	struct audit_file *file;
	struct buffer lines;
	struct audit_queue kept; /* tried before */
	int64_t failing_since_ms;
	unsigned refused_count, lost_count; /* since then */
	pthread_mutex_t mutex;              /* for what follows */
	pthread_cond_t wake;
	struct audit_queue waiting;
	unsigned waiter_count;  /* of the events in `waiting`, those whose callers wait */
	unsigned dropped_count; /* events that there was no room for */
	bool is_asleep, is_collecting, is_stopping;
	struct audit_head head;
	struct audit_report report;
};

/* An empty one. */
void audit_queue_init(struct audit_queue *queue);
void audit_queue_push(struct audit_queue *queue, struct audit_entry *entry);
/* NULL: it is empty. */
struct audit_entry *audit_queue_pop(struct audit_queue *queue);
/* `from` behind `to`; `from` is empty then. */
void audit_queue_move(struct audit_queue *to, struct audit_queue *from);

/* Takes over `event`. PEP_INTERNAL: it is none. */
pep_status audit_entry_new(json_t *event, struct audit_entry **ret_entry, struct pep_error *err);
void audit_entry_free(struct audit_entry *entry); /* NULL is fine */

/* The thread; `context` is the struct audit. Ends when is_stopping is set and everything has been tried. */
void *audit_write_run(void *context);

#endif
