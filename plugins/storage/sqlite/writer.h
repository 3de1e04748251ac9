/* SPDX-License-Identifier: Apache-2.0
 *
 * writer.h - the one thread that writes. It gathers what callers want written at the same time into one transaction, because a
 * commit costs a wait for the disk, whatever is in it.
 */
#ifndef PLUGINS_STORAGE_SQLITE_WRITER_H
#define PLUGINS_STORAGE_SQLITE_WRITER_H

#include "place.h"
#include "reader.h"

#include <pep/identity.h>

enum write_kind { WRITE_INSERT, WRITE_UPDATE, WRITE_PROBE, WRITE_NOTE };

struct note;

struct writer_setup {
	const struct pep_host *host; /* as the next: borrowed until writer_free() */
	const struct place *place;
	struct reader_pool *readers; /* who has to hear of commits */
	int64_t cache_kib;
	bool check;       /* every page at start */
	size_t batch_max; /* records in one transaction */
};

struct writer;

/* Opens the writing connection, checks and migrates the schema, starts the thread. */
pep_status writer_new(const struct writer_setup *setup, struct writer **ret_writer, struct pep_error *err);
/* Ends the thread; nothing uses the pool after this. [after every other call returned] */
void writer_stop(struct writer *writer);
/* After writer_stop(): closes the connection, which moves the log into the file if it is the last. NULL is fine. [after every other call returned] */
void writer_free(struct writer *writer);

/* Waits until the record is durable, or refused: the answers are those of insert() and update() in pep/storage.h. WRITE_PROBE
 * commits a change that changes nothing; `id` is NULL then. [any thread] */
pep_status writer_write(struct writer *writer, enum write_kind kind, const struct pep_identity *id, struct pep_error *err);
/* The same for note_write(). */
pep_status writer_write_note(struct writer *writer, const struct note *note, struct pep_error *err);
/* Did the last commit work? [any thread] */
bool writer_is_well(const struct writer *writer);

#endif
