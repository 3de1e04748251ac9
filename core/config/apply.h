/* SPDX-License-Identifier: Apache-2.0
 *
 * apply.h - from the tree of texts to struct config.
 */
#ifndef CORE_CONFIG_APPLY_H
#define CORE_CONFIG_APPLY_H

#include "core/config/parse.h"
#include "core/config/schema.h"

/* Refuse sections and keys that nobody knows, read every key of the schema, and check what belongs together. Texts and places go into
 * config->arena, which also owns the tree. [main thread] */
pep_status apply_tree(const struct parse_node *root, struct config *config, struct pep_error *err);

/* The value of one key into its member. `node` is as written: a text, or for networks a list. (apply_value.c) [any thread] */
pep_status apply_value(const struct schema_key *key, const struct parse_node *node, struct config *config, struct pep_error *err);

/* storage, injector and exporters: names checked, options collected as texts. (apply_plugins.c) [any thread] */
pep_status apply_plugins(const struct parse_node *root, struct config *config, struct pep_error *err);

#endif
