/* SPDX-License-Identifier: Apache-2.0
 *
 * Nothing is printed in these tests.
 */
#include "cli/print.h"

#include <stdlib.h>

int print_text(const struct session *session, const char *name, const char *text, struct failure *err)
{
	(void)session;
	(void)name;
	(void)text;
	(void)err;
	abort();
}
