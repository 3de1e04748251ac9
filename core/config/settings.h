/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.h - single values that win over the file's: --set SECTION.KEY=VALUE, and PEP_SERVER_PORT.
 */
#ifndef CORE_CONFIG_SETTINGS_H
#define CORE_CONFIG_SETTINGS_H

#include "core/config/parse.h"

/* Put one value into the tree, in place of what the file said. `origin` names where it came from in messages ("--set server.port=0");
 * both live as long as the arena. Whether the key exists is found out later, as for the file. [any thread] */
pep_status settings_apply(struct arena *arena, struct parse_node *root, const char *origin, const char *path, const char *value,
			  struct pep_error *err);

/* A list of the texts between the commas, without the spaces around them. NULL: out of memory. [any thread] */
struct parse_node *settings_list(struct arena *arena, const char *text, const struct config_place *place);

#endif
