/* SPDX-License-Identifier: Apache-2.0
 *
 * operate.h - what an operator does to one record: rows 14 and 15 of docs/identity-life.md.
 */
#ifndef CORE_SERVICE_OPERATE_H
#define CORE_SERVICE_OPERATE_H

#include "core/service/provision.h"

/* Look what machine_resolve() would say, then audit, then do it: `is_rehearsal` writes nothing. `event` needs no dispatch_id and no
 * now_ms. *ret_record is the record as it stands then; NULL: the serial is not known. As record_change(). [any thread] */
struct operate_resolve {
	const char *serial;
	struct machine_resolve event;
	bool is_rehearsal;
};
pep_status operate_resolve(struct provisioner *provisioner, struct arena *arena, const struct operate_resolve *resolve,
			   enum machine_verdict *ret_verdict, const struct pep_identity **ret_record, struct pep_error *err);

/* The same for machine_retire(). */
struct operate_retire {
	const char *serial, *reason;
	bool is_rehearsal;
};
pep_status operate_retire(struct provisioner *provisioner, struct arena *arena, const struct operate_retire *retire,
			  enum machine_verdict *ret_verdict, const struct pep_identity **ret_record, struct pep_error *err);

#endif
