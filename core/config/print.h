/* SPDX-License-Identifier: Apache-2.0
 *
 * print.h - a configuration as YAML that can be read again, each value with where it came from.
 */
#ifndef CORE_CONFIG_PRINT_H
#define CORE_CONFIG_PRINT_H

#include "core/config/config.h"

#include <stdio.h>

/* The server's own sections. Errors are left in the stream. [any thread] */
void print_sections(FILE *out, const struct config *config);
/* A plugin's section, or with `is_entry` an entry of the list of exporters. `options` is the plugin's list; a secret is shown as the
 * source that the configuration names, never as itself. */
void print_instance(FILE *out, const struct config_instance *instance, const struct pep_option *options, bool is_entry);
/* An entry of the list "push". */
void print_push(FILE *out, const struct config_push *push, const struct pep_option *options);
/* A text in quotes, as YAML and JSON have them. */
void print_quoted(FILE *out, const char *text);

#endif
