/* SPDX-License-Identifier: Apache-2.0
 *
 * note.h - the notes of the contract, as rows of a table of their own.
 */
#ifndef PLUGINS_STORAGE_SQLITE_NOTE_H
#define PLUGINS_STORAGE_SQLITE_NOTE_H

#include "reader.h"

/* What is to be written; borrowed. */
struct note {
	const char *name, *text;
	int64_t revision; /* that it replaces; 0: there is none */
};

/* note_read() of pep/storage.h. [any thread] */
pep_status note_read(struct reader_pool *readers, const char *name, char *text, int64_t *ret_revision, struct pep_error *err);
/* Within a transaction of the writing connection. Returns SQLite's code; with SQLITE_OK *ret_status is PEP_OK or PEP_CONFLICT. */
int note_apply(sqlite3 *db, const struct note *note, pep_status *ret_status, struct pep_error *err);

#endif
