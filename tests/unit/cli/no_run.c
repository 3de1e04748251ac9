/* SPDX-License-Identifier: Apache-2.0
 *
 * The table names functions that these tests never call.
 */
#include "cli/commands.h"

#include <stdlib.h>

#define NEVER_RUN(name)                                        \
	int name(struct session *session, struct failure *err) \
	{                                                      \
		(void)session;                                 \
		(void)err;                                     \
		abort();                                       \
	}

NEVER_RUN(identity_run)
NEVER_RUN(lookup_run_enrollment_id)
NEVER_RUN(lookup_run_verification_key)
NEVER_RUN(list_run)
NEVER_RUN(provision_run)
NEVER_RUN(doctor_run)
NEVER_RUN(export_run)
NEVER_RUN(order_run)
NEVER_RUN(operate_run_status)
NEVER_RUN(operate_run_reprovision)
NEVER_RUN(operate_run_resolve)
NEVER_RUN(operate_run_retire)
NEVER_RUN(version_run)
/* help.c and completion.c bring their own where they are linked. */
__attribute__((weak)) NEVER_RUN(help_run) __attribute__((weak)) NEVER_RUN(completion_run)
