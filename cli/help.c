/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include "cli/print.h"
#include "cli/session.h"
#include "core/base/buffer.h"
#include "core/base/cleanup.h"

#define USAGE_LIMIT 65536

static void add_option(struct buffer *out, const struct option_row *row)
{
	if (row->letter)
		buffer_format(out, "  -%c, --%s", row->letter, row->name);
	else
		buffer_format(out, "      --%s", row->name);
	if (row->argument)
		buffer_format(out, " %s", row->argument);
	buffer_format(out, "\n          %s", row->help);
	if (row->required)
		buffer_text(out, " (required)");
	else if (row->fallback)
		buffer_format(out, " (default: %s)", row->fallback);
	else if (row->argument)
		buffer_text(out, " (default: none)");
	else
		buffer_text(out, " (default: off)");
	buffer_text(out, "\n");
}

static void add_command_usage(struct buffer *out, const struct command *command)
{
	const struct option_row *row;

	buffer_format(out, "Usage: pep-cli %s [options]%s%s\n\n%s.\n", command->name, command->argument ? " " : "",
		      command->argument ? command->argument : "", command->summary);
	if (command->argument_choices && *command->argument_choices)
		buffer_format(out, "%s is one of: %s.\n", command->argument, command->argument_choices);
	buffer_text(out, "\nOptions:\n");
	for (size_t i = 0; (row = commands_option(command, i)); i++)
		add_option(out, row);
}

static void add_main_usage(struct buffer *out)
{
	buffer_text(out, "Usage: pep-cli [options] command {args...}\n\nCommands:\n");
	for (const struct command *command = commands_table; command->name; command++)
		buffer_format(out, "  %-21s %s\n", command->name, command->summary);
	buffer_text(out, "\nOptions:\n");
	for (const struct option_row *row = commands_global_options; row->name; row++)
		add_option(out, row);
	buffer_text(out, "\nEnvironment:\n"
			 "  PEP_SERVER_URL  address of the server (default: http://localhost:5151)\n"
			 "  PEP_TIMEOUT     seconds for one request, 1 to 3600 (default: 120)\n"
			 "  PEP_TOKEN       token that the server knows us by; PEP_TOKEN_FILE: a file with it\n"
			 "  PEP_CA, PEP_PIN, PEP_CERT, PEP_KEY\n"
			 "                  as the options of the commands (default: none)\n"
			 "\nSee \"pep-cli help COMMAND\" for the options of a command, and pep-cli(1) for everything.\n");
}

char *help_usage(const struct command *command)
{
	AUTO(buffer_fini) struct buffer out;

	buffer_init(&out, USAGE_LIMIT);
	if (command)
		add_command_usage(&out, command);
	else
		add_main_usage(&out);
	buffer_byte(&out, '\0');
	return out.failed ? NULL : TAKE(out.data);
}

int help_run(struct session *session, struct failure *err)
{
	const struct command *command = session->argument ? commands_find(session->argument) : NULL;
	AUTO(free_ptr) char *text = NULL;

	if (session->argument && !command)
		return failure_set(err, EXIT_USAGE, "usage", "there is no command %s", session->argument);
	text = help_usage(command);
	if (!text)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	return print_text(session, "usage", text, err);
}
