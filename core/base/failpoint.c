/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/failpoint.h"

#ifdef PEP_FAILPOINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void failpoint_pass(const char *name)
{
	static atomic_long passages;
	const char *wanted = getenv("PEP_FAILPOINT");
	size_t size = strlen(name);
	char *rest;

	if (!wanted || strncmp(wanted, name, size) != 0 || wanted[size] != ':')
		return;
	if (atomic_fetch_add(&passages, 1) + 1 == strtol(wanted + size + 1, &rest, 10))
		/* To this thread, which then takes no step more. */
		(void)raise(strcmp(rest, ":stop") == 0 ? SIGSTOP : SIGKILL);
}

#else

typedef int failpoint_is_compiled_out; /* ISO C forbids an empty file */

#endif
