/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.h - how far a subscriber has been told: what is kept of it, as the text of a note. [one thread at a time]
 *
 * The records are the outbox: they are in the store anyway. So little is kept, and it never grows beyond a note: the cursor, below
 * which everything was told and nothing can appear any more (core/service/cursor.h), what was told beyond it, the dead letters,
 * and which server does the telling until when.
 */
#ifndef CORE_SERVICE_PROGRESS_H
#define CORE_SERVICE_PROGRESS_H

#include "core/base/buffer.h"
#include "core/service/told.h"

#include <pep/plugin.h>

#define PROGRESS_DEAD_MAX 64u /* dead letters */
#define PROGRESS_ID_SIZE 25u  /* of a dispatch id: 24 characters and a NUL */

/* An identity that the other side kept refusing. */
struct dead_letter {
	char serial[65], dispatch_id[PROGRESS_ID_SIZE];
	int64_t since_ms; /* by this machine's clock */
	char reason[161];
};

/* Zeroed at first. */
struct progress {
	char cursor[PROGRESS_ID_SIZE];
	struct told told;
	struct dead_letter dead[PROGRESS_DEAD_MAX];
	size_t dead_count;
	char holder[301]; /* "NAME/START" of the server that does it; "": nobody */
	int64_t until_ms; /* by the store's clock: it has said so until then */
};

void progress_fini(struct progress *progress);
/* Appends the text, without a NUL. Of `told` the newest that fit into PEP_NOTE_SIZE bytes: the others would be told again. What failed
 * is remembered by the buffer. */
void progress_write(const struct progress *progress, struct buffer *text);
/* PEP_INVALID: this is none; *progress is then as before. */
pep_status progress_read(const char *text, struct progress *progress, struct pep_error *err);

#endif
