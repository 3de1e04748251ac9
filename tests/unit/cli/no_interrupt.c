/* SPDX-License-Identifier: Apache-2.0
 *
 * No signal comes in these tests.
 */
#include "cli/interrupt.h"

#include <stdlib.h>

int interrupt_signal(void)
{
	return 0;
}

int interrupt_failure(struct failure *err)
{
	(void)err;
	abort();
}
