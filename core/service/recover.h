/* SPDX-License-Identifier: Apache-2.0
 *
 * recover.h - what gets a serial going again without anybody's help: leases that ended, and outcomes in the spool.
 */
#ifndef CORE_SERVICE_RECOVER_H
#define CORE_SERVICE_RECOVER_H

#include "core/service/provision.h"

struct recovery;

/* Once, before the server answers: replay the spool, adopt injections that outlived an earlier start, then end at once what else
 * `earlier_owner` left unfinished: the start before this one, see owner.h; NULL: there was none. A serial whose tool still runs stays in
 * progress; the thread waits for it. A store that is away is an error. [main thread] */
pep_status recover_at_start(struct provisioner *provisioner, const char *earlier_owner, struct pep_error *err);

/* From then on, every interval: replay the spool, look after tools that still run, end expired leases of any server. [main thread] */
pep_status recovery_start(struct provisioner *provisioner, int64_t interval_ms, struct recovery **ret_recovery,
			  struct pep_error *err);
/* For how long, in ms, the thread has been at one step, or should have begun one; 0: it waits for the next. A step is one call of the store
 * or of the injector, which have limits of their own. [any thread] */
int64_t recovery_late_ms(const struct recovery *recovery);
/* NULL is fine. Ends the thread; looks at the spool once more. [main thread] */
void recovery_stop(struct recovery *recovery);

#endif
