/* SPDX-License-Identifier: Apache-2.0
 *
 * describe.h - answers for people: which plugins there are, what they can be told, and what the configuration comes to.
 */
#ifndef CORE_PLUGIN_DESCRIBE_H
#define CORE_PLUGIN_DESCRIBE_H

#include "core/config/config.h"

#include <stdio.h>

/* One line per plugin in the folder: name, kind, version, ABI. Those that are refused go to `refused`, one line each with the reason,
 * and make the status that of the last one. [main thread] */
pep_status describe_list(FILE *out, FILE *refused, const char *folder, struct pep_error *err);
/* One plugin with its options: type, range, default, help. [main thread] */
pep_status describe_plugin(FILE *out, const char *folder, const char *name, struct pep_error *err);
/* The whole configuration, plugins included, as YAML; secrets hidden. [main thread] */
pep_status describe_config(FILE *out, const struct config *config, struct pep_error *err);

#endif
