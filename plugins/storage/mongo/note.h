/* SPDX-License-Identifier: Apache-2.0
 *
 * note.h - the notes of the contract, as documents of a collection of their own: {_id: name, text, revision}.
 */
#ifndef PLUGINS_STORAGE_MONGO_NOTE_H
#define PLUGINS_STORAGE_MONGO_NOTE_H

#include "link.h"

#define NOTE_COLLECTION "pep_notes"

/* note_read() and note_write() of pep/storage.h. The index of _id is every collection's own, so there is nothing to prepare.
 * [any thread] */
pep_status note_read(struct link *link, const char *name, char *text, int64_t *ret_revision, struct pep_error *err);
pep_status note_write(struct link *link, const char *name, int64_t revision, const char *text, struct pep_error *err);

#endif
