/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/completion.h"

#include "cli/print.h"
#include "cli/session.h"
#include "core/base/buffer.h"
#include "core/base/cleanup.h"

#include <stdio.h>
#include <string.h>

#define SCRIPT_LIMIT ((size_t)256 << 10)

static void add_command_names(struct buffer *out, const char *separator)
{
	for (const struct command *command = commands_table; command->name; command++)
		buffer_format(out, "%s%s", command == commands_table ? "" : separator, command->name);
}

/* "-s --serial-number ..." of one option, with spaces behind. */
static void add_names(struct buffer *out, const struct option_row *row)
{
	if (row->letter)
		buffer_format(out, "-%c ", row->letter);
	buffer_format(out, "--%s ", row->name);
}

/* A text between single quotes of a shell. */
static void add_quoted(struct buffer *out, const char *text)
{
	buffer_byte(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buffer_text(out, "'\\'");
		buffer_byte(out, *text);
	}
	buffer_byte(out, '\'');
}

/* The words that may follow a command that takes one; "": none. */
static void add_argument_words(struct buffer *out, const struct command *command)
{
	if (command->argument && command->argument_choices)
		buffer_text(out, command->argument_choices);
	else if (command->argument)
		add_command_names(out, " ");
}

/* What may follow an option with a value: a case of the bash script. */
static void add_bash_value(struct buffer *out, const struct command *command, const struct option_row *row)
{
	buffer_format(out, "\t'%s --%s'", command->name, row->name);
	if (row->letter)
		buffer_format(out, " | '%s -%c'", command->name, row->letter);
	if (row->choices)
		buffer_format(out, ")\n\t\tCOMPREPLY=($(compgen -W '%s' -- \"$word\"))\n\t\treturn ;;\n", row->choices);
	else
		buffer_format(out, ")\n\t\tCOMPREPLY=(%s)\n\t\treturn ;;\n", row->is_file ? "$(compgen -f -- \"$word\")" : "");
}

static void add_bash(struct buffer *out)
{
	const struct option_row *row;

	buffer_text(out, "# bash completion for pep-cli\n"
			 "_pep_cli()\n{\n\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i\n"
			 "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
			 "\t\tif [[ ${COMP_WORDS[i]} != -* ]]; then command=${COMP_WORDS[i]}; break; fi\n\tdone\n"
			 "\tCOMPREPLY=()\n\tcase \"$command $before\" in\n");
	for (const struct command *command = commands_table; command->name; command++)
		for (size_t i = 0; (row = commands_option(command, i)); i++)
			if (row->argument)
				add_bash_value(out, command, row);
	buffer_text(out, "\tesac\n\tcase \"$command\" in\n");
	for (const struct command *command = commands_table; command->name; command++) {
		buffer_format(out, "\t%s)\n\t\tCOMPREPLY=($(compgen -W '", command->name);
		for (size_t i = 0; (row = commands_option(command, i)); i++)
			add_names(out, row);
		add_argument_words(out, command);
		buffer_text(out, "' -- \"$word\")) ;;\n");
	}
	buffer_text(out, "\t'')\n\t\tCOMPREPLY=($(compgen -W '");
	for (row = commands_global_options; row->name; row++)
		add_names(out, row);
	add_command_names(out, " ");
	buffer_text(out, "' -- \"$word\")) ;;\n\tesac\n}\ncomplete -F _pep_cli pep-cli\n");
}

/* What is special inside the brackets and behind the colons of zsh's _arguments. */
static void add_zsh_text(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '[' || *text == ']' || *text == ':')
			buffer_byte(out, '\\');
		if (*text == '\'')
			buffer_text(out, "'\\'");
		buffer_byte(out, *text);
	}
}

/* "'(-s --serial-number)'{-s,--serial-number}'[help]:SERIAL:'" */
static void add_zsh_option(struct buffer *out, const struct option_row *row)
{
	buffer_text(out, " \\\n\t\t\t");
	if (row->letter)
		buffer_format(out, "'(-%c --%s)'{-%c,--%s}'[", row->letter, row->name, row->letter, row->name);
	else
		buffer_format(out, "'--%s[", row->name);
	add_zsh_text(out, row->help);
	buffer_byte(out, ']');
	if (row->argument)
		buffer_format(out, ":%s:", row->argument);
	if (row->choices)
		buffer_format(out, "(%s)", row->choices);
	if (row->is_file)
		buffer_text(out, "_files");
	buffer_byte(out, '\'');
}

static void add_zsh(struct buffer *out)
{
	const struct option_row *row;

	buffer_text(out, "#compdef pep-cli\n_pep_cli()\n{\n\tlocal context state state_descr line\n\ttypeset -A opt_args\n"
			 "\t_arguments -C");
	for (row = commands_global_options; row->name; row++)
		add_zsh_option(out, row);
	buffer_text(
		out,
		" \\\n\t\t\t'1:command:->command' '*::argument:->argument'\n\tcase $state in\n\tcommand)\n\t\tlocal -a commands\n"
		"\t\tcommands=(\n");
	for (const struct command *command = commands_table; command->name; command++) {
		buffer_text(out, "\t\t\t'");
		buffer_format(out, "%s:", command->name);
		add_zsh_text(out, command->summary);
		buffer_text(out, "'\n");
	}
	buffer_text(out, "\t\t)\n\t\t_describe command commands ;;\n\targument)\n\t\tcase $words[1] in\n");
	for (const struct command *command = commands_table; command->name; command++) {
		buffer_format(out, "\t\t%s)\n\t\t\t_arguments", command->name);
		for (size_t i = 0; (row = commands_option(command, i)); i++)
			add_zsh_option(out, row);
		if (command->argument) {
			buffer_text(out, " \\\n\t\t\t'1:word:(");
			add_argument_words(out, command);
			buffer_text(out, ")'");
		}
		buffer_text(out, " ;;\n");
	}
	/* Sourced, or autoloaded from a folder of $fpath. */
	buffer_text(out, "\t\tesac ;;\n\tesac\n}\nif [ \"$funcstack[1]\" = _pep-cli ]; then _pep_cli \"$@\"; else compdef _pep_cli "
			 "pep-cli; fi\n");
}

static void add_fish_option(struct buffer *out, const char *condition, const struct option_row *row)
{
	buffer_format(out, "complete -c pep-cli -n '%s'", condition);
	if (row->letter)
		buffer_format(out, " -s %c", row->letter);
	buffer_format(out, " -l %s", row->name);
	if (row->argument)
		buffer_text(out, row->is_file ? " -r -F" : " -x");
	if (row->choices)
		buffer_format(out, " -a '%s'", row->choices);
	buffer_text(out, " -d ");
	add_quoted(out, row->help);
	buffer_byte(out, '\n');
}

static void add_fish(struct buffer *out)
{
	const struct option_row *row;
	char condition[96];

	buffer_text(out, "# fish completion for pep-cli\ncomplete -c pep-cli -f\n");
	for (row = commands_global_options; row->name; row++)
		add_fish_option(out, "__fish_use_subcommand", row);
	for (const struct command *command = commands_table; command->name; command++) {
		buffer_format(out, "complete -c pep-cli -n __fish_use_subcommand -a %s -d ", command->name);
		add_quoted(out, command->summary);
		buffer_byte(out, '\n');
		(void)snprintf(condition, sizeof(condition), "__fish_seen_subcommand_from %s", command->name);
		for (size_t i = 0; (row = commands_option(command, i)); i++)
			add_fish_option(out, condition, row);
		if (!command->argument)
			continue;
		buffer_format(out, "complete -c pep-cli -n '%s' -a '", condition);
		add_argument_words(out, command);
		buffer_text(out, "'\n");
	}
}

char *completion_script(const char *shell)
{
	AUTO(buffer_fini) struct buffer out;

	buffer_init(&out, SCRIPT_LIMIT);
	if (strcmp(shell, "bash") == 0)
		add_bash(&out);
	else if (strcmp(shell, "zsh") == 0)
		add_zsh(&out);
	else if (strcmp(shell, "fish") == 0)
		add_fish(&out);
	else
		return NULL;
	buffer_byte(&out, '\0');
	return out.failed ? NULL : TAKE(out.data);
}

int completion_run(struct session *session, struct failure *err)
{
	AUTO(free_ptr) char *script = completion_script(session->argument);

	if (!script)
		return failure_set(err, EXIT_USAGE, "usage", "there is no completion for %s; choose one of: %s", session->argument,
				   session->command->argument_choices);
	return print_text(session, "script", script, err);
}
