/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - the tool's own configuration, fcu.yml, looked at before the tool does so in front of a gateway.
 */
#ifndef FCU_CONFIG_H
#define FCU_CONFIG_H

#include <pep/plugin.h>

/* PEP_INVALID: it is not YAML with a mapping at the top; the error names the line. What it takes from variables that are not in
 * `environment` (NAME=VALUE texts, ended by NULL), as <%= ENV['NAME'] %>, is told as a warning to host->log. [one thread] */
pep_status config_check(const struct pep_host *host, const char *path, char *const *environment, struct pep_error *err);

#endif
