/* SPDX-License-Identifier: Apache-2.0
 *
 * commands.h - the one table of commands and options. Parsing, help and completion all read it; nothing repeats it.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/exit.h"

#include <stdbool.h>
#include <stddef.h>

struct session;

/* One option of a command. A list ends with a row without name. */
struct option_row {
	char letter;          /* 0: long only */
	const char *name;     /* long name, without the dashes */
	const char *argument; /* as help shows it; NULL: a flag */
	const char *fallback; /* value when not given or empty; NULL: none */
	const char *field;    /* what the request calls it; NULL: not sent */
	const char *required; /* what the message about its absence calls it; NULL: may be absent */
	const char *choices;  /* the values there are, with spaces between them; NULL: any */
	bool is_file;         /* the value names a file */
	const char *help;     /* one line */
};

struct command {
	const char *name;
	const char *summary;          /* one line */
	const char *argument;         /* the word after the options, as help shows it; NULL: takes none */
	const char *argument_choices; /* with spaces between; NULL: the names of the commands, "": any word */
	bool argument_required;
	bool json_lines;  /* with --json a line for every step; the last one, its result, says so: "event": "result" */
	bool asks_server; /* it has the options about TLS and tokens */
	const struct option_row *options;                         /* its own; every command has the common ones too */
	int (*run)(struct session *session, struct failure *err); /* an exit code; err is filled if it is not EXIT_OK */
};

/* The most options that a command has, the common ones included. */
enum { COMMAND_OPTIONS_MAX = 64 };

/* All commands, in the order of the help. The last has no name. */
extern const struct command commands_table[];
/* Before the command: --help --version --json --quiet --verbose. */
extern const struct option_row commands_global_options[];

/* NULL: no such command. */
const struct command *commands_find(const char *name);
/* The options of a command one after the other: its own, those of all that ask the server, the common ones. NULL: no more. */
const struct option_row *commands_option(const struct command *command, size_t index);

/* The files that do the work; each promises what `run` promises. */
int identity_run(struct session *session, struct failure *err);
int lookup_run_enrollment_id(struct session *session, struct failure *err);
int lookup_run_verification_key(struct session *session, struct failure *err);
int list_run(struct session *session, struct failure *err);
int provision_run(struct session *session, struct failure *err);
int doctor_run(struct session *session, struct failure *err);
int export_run(struct session *session, struct failure *err);
int order_run(struct session *session, struct failure *err);
int operate_run_status(struct session *session, struct failure *err);
int operate_run_reprovision(struct session *session, struct failure *err);
int operate_run_resolve(struct session *session, struct failure *err);
int operate_run_retire(struct session *session, struct failure *err);
int help_run(struct session *session, struct failure *err);
int completion_run(struct session *session, struct failure *err);
int version_run(struct session *session, struct failure *err);

#endif
