/* SPDX-License-Identifier: Apache-2.0
 *
 * spool.h - delivered outcomes that storage has not taken yet, one durable file each, until a read shows them in the record.
 */
#ifndef CORE_SERVICE_SPOOL_H
#define CORE_SERVICE_SPOOL_H

#include "core/base/arena.h"

#include <pep/plugin.h>

struct spool;

/* "attempt N of this serial was delivered, and the gateway holds this enrollment identity". */
struct spool_entry {
	const char *serial, *nonce, *enrollment_id;
	uint32_t attempt;
};

/* Open the folder (made if absent, 0700) and lock it against a second server. Entries of earlier starts are counted,
 * and one that a crash left half made is finished or removed.
 * PEP_CONFLICT: another server has it. [main thread] */
pep_status spool_open(const char *folder, struct spool **ret_spool, struct pep_error *err);
void spool_close(struct spool *spool); /* NULL is fine. [main thread] */

/* Write an entry: temporary file, fsync, rename, fsync of the folder. PEP_OK: it survives a loss of power. [any thread] */
pep_status spool_put(struct spool *spool, const struct spool_entry *entry, struct pep_error *err);
/* How many entries wait. [any thread] */
unsigned spool_count(const struct spool *spool);

/* For each entry: call `settle`, which answers true if a read or a confirmed write shows it in the record; then its file is
 * removed. A file that cannot be understood is reported in the log and kept. [one thread at a time] */
void spool_replay(struct spool *spool, bool (*settle)(void *context, const struct spool_entry *entry), void *context);

#endif
