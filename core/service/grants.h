/* SPDX-License-Identifier: Apache-2.0
 *
 * grants.h - an operator's permissions to give a gateway another identity (RMA): row 6 of docs/identity-life.md.
 *
 * A grant names the enrollment id that it replaces. The write that records the contact with the gateway puts another in its place, so
 * from then on the grant fits nothing: what uses it up is the record itself, and no crash can use it twice. An attempt that sent
 * nothing leaves the record as it was, and the grant as good as before. Kept in one note of the store.
 */
#ifndef CORE_SERVICE_GRANTS_H
#define CORE_SERVICE_GRANTS_H

#include "core/plugin/instance.h"

#include <jansson.h>

#define GRANTS_NOTE "grants" /* the note that they are in */
#define GRANTS_REASON_MAX 200u

struct grant {
	const char *serial, *enrollment_id, *reason, *actor, *request_id;
	int64_t granted_ms;
};

/* Write it; an earlier one of the serial is replaced. PEP_LIMIT: those that are not used up fill the note, which holds some 250. PEP_UNSUPPORTED: the store keeps no notes.
 * [any thread] */
pep_status grants_put(struct storage *storage, const struct grant *grant, struct pep_error *err);
/* Take back what the serial has. [any thread] */
pep_status grants_drop(struct storage *storage, const char *serial, struct pep_error *err);
/* The grant that replaces this enrollment id of the serial: {"enrollment_id", "reason", "actor", "request_id", "granted_ms"}, the
 * caller's; NULL: there is none. [any thread] */
pep_status grants_find(struct storage *storage, const char *serial, const char *enrollment_id, json_t **ret_grant,
		       struct pep_error *err);

#endif
