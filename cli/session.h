/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h - one call of pep-cli: the command and the values of its options. Lives in main(); one thread.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/commands.h"

#include <jansson.h>
#include <stdbool.h>

struct trust;

struct session {
	const struct command *command;           /* NULL: none yet */
	const char *values[COMMAND_OPTIONS_MAX]; /* by index of commands_option(): as given, NULL: not given; texts of argv */
	const char *argument;                    /* NULL: not given */
	bool help, version;
	bool json, quiet, verbose;
	struct trust *trust; /* of a command that asks the server; NULL: of another */
};

/* The value of an option with an argument, by its long name, which must be one of the command's. As session_text(). */
const char *session_named(const struct session *session, const char *name);
/* Whether an option was given, by its long name. */
bool session_has(const struct session *session, const char *name);
/* The value of an option with an argument: as given, or its fallback if that is absent or empty; NULL: neither. The letter
 * must be one of the command's. */
const char *session_text(const struct session *session, char letter);
/* Whether a flag was given. */
bool session_flag(const struct session *session, char letter);
/* EXIT_USAGE for the first option that is required and missing, or that has a value outside its choices. */
int session_check(const struct session *session, struct failure *err);
/* A new JSON object of every option with a field that has a value, in the order of the table. EXIT_USAGE if one is no UTF-8. */
int session_fields(const struct session *session, json_t **ret_fields, struct failure *err);

#endif
