/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.h - some writes as one transaction of SQLite: what is applied, what is refused, and what a failed commit means for each.
 *
 * No SAVEPOINT is needed: a statement that breaks a unique index is undone by SQLite alone (conflict resolution ABORT) and leaves
 * its neighbours in the transaction as they are.
 */
#ifndef PLUGINS_STORAGE_SQLITE_BATCH_H
#define PLUGINS_STORAGE_SQLITE_BATCH_H

#include "record.h"
#include "writer.h"

#include <semaphore.h>
#include <sqlite3.h>

#define WRITE_WAKES 2

/* One write and who waits for it. Lives on the caller's stack until `done` is posted. */
struct write {
	struct write *next;
	struct write *wakes[WRITE_WAKES]; /* whom this caller wakes when it is woken; NULL: nobody */
	enum write_kind kind;
	const struct pep_identity *id;
	const struct note *note; /* of WRITE_NOTE; then `id` is NULL */
	struct pep_error *err;   /* the caller's, may be NULL */
	pep_status status;
	sem_t done;
};

/* The writing connection. */
struct batch_link {
	const char *path;
	sqlite3 *db; /* NULL: has to be opened again */
	sqlite3_stmt *insert, *updates[RECORD_UPDATE_COUNT], *begin, *commit;
	int log_frames; /* in the write-ahead log after the last commit */
};

/* `first_time`: schema_open() with `check`. On failure the link stays closed. */
pep_status batch_link_open(struct batch_link *link, const char *path, int64_t cache_kib, bool first_time, bool check,
			   struct pep_error *err);
void batch_link_close(struct batch_link *link);

/* The three steps. After a failed one the transaction is gone, and the link is closed if it cannot be trusted any more. */
pep_status batch_begin(struct batch_link *link, struct pep_error *err);
/* Sets write->status: PEP_OK, PEP_CONFLICT, or what is wrong with this one. Failure is one of the whole transaction. */
pep_status batch_apply(struct batch_link *link, struct write *write, struct pep_error *err);
/* PEP_UNAVAILABLE: certainly nothing of it is stored. PEP_UNKNOWN: it may be there after a restart. */
pep_status batch_commit(struct batch_link *link, struct pep_error *err);

/* Move the log's content into the file. `patient`: wait for readers, so that the log starts from its beginning. */
pep_status batch_checkpoint(struct batch_link *link, bool patient, struct pep_error *err);

#endif
