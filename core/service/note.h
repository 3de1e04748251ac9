/* SPDX-License-Identifier: Apache-2.0
 *
 * note.h - where a note is kept: in the store, or in a file of the data folder if the store keeps none and only this server uses it.
 */
#ifndef CORE_SERVICE_NOTE_H
#define CORE_SERVICE_NOTE_H

#include "core/plugin/instance.h"

struct note {
	struct storage *storage;
	char name[65]; /* in the store */
	char *path;    /* the file; NULL: it is in the store */
	int64_t revision;
};

/* `name`: [a-z0-9_-]{1,32}. PEP_UNSUPPORTED: the store keeps no notes, and other servers may use it. [main thread] */
pep_status note_open(struct storage *storage, const char *data_dir, const char *name, struct note *ret_note, struct pep_error *err);
void note_close(struct note *note); /* zeroed is fine */

/* The two calls of pep/storage.h; the revision is remembered. `text`: PEP_NOTE_SIZE + 1 bytes. note->revision 0 then: there is none.
 * [one thread at a time] */
pep_status note_read(struct note *note, char *text, struct pep_error *err);
pep_status note_write(struct note *note, const char *text, struct pep_error *err);

#endif
