/* SPDX-License-Identifier: Apache-2.0
 *
 * command.h - what pep-server does beside serving: `pep-server ca ...`, `pep-server migrate ...` and so on.
 */
#ifndef CORE_COMMAND_COMMAND_H
#define CORE_COMMAND_COMMAND_H

#include <stdbool.h>

/* How a command ends; the same numbers as of the server, and two of their own. */
enum {
	COMMAND_DONE = 0,
	COMMAND_FAILED = 1,
	COMMAND_USAGE = 2,
	COMMAND_REFUSED = 3,
	COMMAND_UNSAFE = 5,    /* the stores or the file are not such that it may be done; nothing was changed */
	COMMAND_DIFFERENT = 6, /* done, but what came out is not what went in */
	COMMAND_STORE = 12,    /* a store cannot be used, or a server uses it */
};

/* Does the first argument name a command? Then it is run, and *ret_exit_code is how it ended. `arguments` are those of main(), ended by
 * NULL. [main thread, before any other] */
bool command_run(int count, char **arguments, int *ret_exit_code);

/* The commands. arguments[0] is what follows the command's name. */
int command_ca_init(int count, char **arguments);
int command_ca_inspect(int count, char **arguments);
int command_tls(int count, char **arguments);
int command_import_fcu(int count, char **arguments);
int command_migrate(int count, char **arguments);
int command_backup(int count, char **arguments);
int command_restore(int count, char **arguments);
int command_audit(int count, char **arguments);
int command_doctor(int count, char **arguments);
int command_token(int count, char **arguments);

/* Is -h or --help among them? */
bool command_asks_help(int count, char *const *arguments);

/* "pep-server: message" on standard error; returns `exit_code`. */
__attribute__((format(printf, 2, 3))) int command_complain(int exit_code, const char *format, ...);

#endif
