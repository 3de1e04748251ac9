/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - the one loop in which every change of a record is made: read, decide, write at the revision that was read.
 */
#ifndef CORE_SERVICE_RECORD_H
#define CORE_SERVICE_RECORD_H

#include "core/plugin/instance.h"
#include "core/service/machine.h"

/* What the record becomes: one of the functions of machine.h. `record` is NULL if the serial is not known. */
typedef enum machine_verdict (*record_decide)(struct arena *arena, const struct pep_identity *record, const void *event,
					      struct pep_identity *ret_next);

struct record_change {
	const char *serial;
	const struct pep_identity *known; /* as the caller wrote it last: spares the first read; NULL: read */
	record_decide decide;
	const void *event;
};

/* PEP_OK: decided, and if *ret_verdict is MACHINE_WRITE also stored; *ret_record is the record as it stands now (in the arena; NULL
 *   if there is none).
 * PEP_CONFLICT: another record has this enrollment id or dispatch id; nothing was written, *ret_record is the record as it is.
 * PEP_UNAVAILABLE: certainly nothing was written. PEP_UNKNOWN: may be written, now or later; reading back did not settle it.
 * Somebody else's write in between is read and decided again. [any thread] */
pep_status record_change(struct storage *storage, struct arena *arena, const struct record_change *change,
			 enum machine_verdict *ret_verdict, const struct pep_identity **ret_record, struct pep_error *err);

#endif
