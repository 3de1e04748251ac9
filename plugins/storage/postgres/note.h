/* SPDX-License-Identifier: Apache-2.0
 *
 * note.h - the notes of the contract, as rows of a table of their own.
 */
#ifndef PLUGINS_STORAGE_POSTGRES_NOTE_H
#define PLUGINS_STORAGE_POSTGRES_NOTE_H

#include "pool.h"

/* note_read() and note_write() of pep/storage.h. [any thread] */
pep_status note_read(struct pool *pool, const char *name, char *text, int64_t *ret_revision, struct pep_error *err);
pep_status note_write(struct pool *pool, const char *name, int64_t revision, const char *text, struct pep_error *err);

#endif
