/* SPDX-License-Identifier: Apache-2.0
 *
 * options.h - a plugin's options: from the texts of the configuration to the values that its open() gets.
 */
#ifndef CORE_CONFIG_OPTIONS_H
#define CORE_CONFIG_OPTIONS_H

#include "core/config/config.h"

#define OPTIONS_LIMIT 256u /* of one plugin */

/* Does a text have the form of a source of a secret: "file:PATH" or "${NAME}"? [any thread] */
bool options_is_source(const char *text);

/* Does a plugin's own list make sense: keys, types, ranges, defaults? Ended by a NULL key; NULL: no options. *err says which one is
 * wrong. [any thread] */
pep_status options_check(const struct pep_option *options, struct pep_error *err);

struct option_values;
/* Values for a list that options_check() has passed: what `instance` says, else the defaults. Refuses unknown keys, wrong types and
 * ranges, missing required keys and literal secrets, each with its place. Relative paths, those of secrets too, are below `data_dir`.
 * *ret_values is the caller's, for options_free(). [main thread: reads the environment] */
pep_status options_read(const struct config_instance *instance, const struct pep_option *options, const char *data_dir,
			struct option_values **ret_values, struct pep_error *err);
/* values[i] answers options[i]; lives until options_free(). NULL if there are no options. */
const union pep_value *options_values(const struct option_values *values);
/* Wipes the secrets. NULL is fine. */
void options_free(struct option_values *values);

/* What the configuration says of an option; NULL: nothing, the default holds. [any thread] */
const struct config_option *options_find(const struct config_instance *instance, const char *key);

#endif
