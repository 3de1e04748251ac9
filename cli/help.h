/* SPDX-License-Identifier: Apache-2.0
 *
 * help.h - usage texts, made of the table of commands. [any thread]
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/commands.h"

/* The usage of a command; NULL: of pep-cli. The caller frees it. NULL: out of memory. */
char *help_usage(const struct command *command);

#endif
