/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/version.h"

#include <stddef.h>

#include "pep_commit.h" /* made by cmake/Commit.cmake */

const char *version_commit(void)
{
	return PEP_COMMIT[0] ? PEP_COMMIT : NULL;
}
