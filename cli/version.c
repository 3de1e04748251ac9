/* SPDX-License-Identifier: Apache-2.0
 *
 * version, and the option --version.
 */
#include "cli/print.h"

int version_run(struct session *session, struct failure *err)
{
	static const char line[] = "Version: " PEP_VERSION "\n";

	return print_result(session, line, sizeof(line) - 1, json_pack("{ss}", "version", PEP_VERSION), err);
}
