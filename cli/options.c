/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* getopt_long() returns this and the index of a row, so that long-only options have a number too. */
#define ROW_BASE 1000

/* What getopt_long() wants to know, made of rows. */
struct grammar {
	const struct option_row *rows[COMMAND_OPTIONS_MAX];
	struct option longs[COMMAND_OPTIONS_MAX + 1];
	char shorts[2 * COMMAND_OPTIONS_MAX + 3];
	size_t count;
};

static void grammar_add(struct grammar *grammar, const struct option_row *row)
{
	size_t end = strlen(grammar->shorts);

	grammar->rows[grammar->count] = row;
	grammar->longs[grammar->count] = (struct option){.name = row->name,
							 .has_arg = row->argument ? required_argument : no_argument,
							 .val = ROW_BASE + (int)grammar->count};
	grammar->count++;
	if (!row->letter)
		return;
	grammar->shorts[end++] = row->letter;
	if (row->argument)
		grammar->shorts[end] = ':';
}

/* The row that getopt_long() means; NULL: it means an error. */
static const struct option_row *grammar_row(const struct grammar *grammar, int found, size_t *ret_index)
{
	for (size_t i = 0; i < grammar->count; i++)
		if (found == ROW_BASE + (int)i || (grammar->rows[i]->letter && found == grammar->rows[i]->letter)) {
			*ret_index = i;
			return grammar->rows[i];
		}
	return NULL;
}

static int option_fault(int found, char **argv, struct failure *err)
{
	const char *why = found == ':' ? "needs a value" : "is unknown";

	/* optopt is the letter, 0 for an unknown long option, or the number of a known one. */
	if (optopt > 0 && optopt < ROW_BASE)
		return failure_set(err, EXIT_USAGE, "usage", "option -%c %s", optopt, why);
	if (optopt >= ROW_BASE && found == '?')
		why = "takes no value";
	return failure_set(err, EXIT_USAGE, "usage", "option %s %s", argv[optind - 1], why);
}

static void note_common(struct session *session, const struct option_row *row)
{
	session->help |= strcmp(row->name, "help") == 0;
	session->version |= strcmp(row->name, "version") == 0;
	session->json |= strcmp(row->name, "json") == 0;
	session->quiet |= strcmp(row->name, "quiet") == 0;
	session->verbose |= strcmp(row->name, "verbose") == 0;
}

/* Reads options up to the end, or to the first word if the grammar begins with '+'. `values` may be NULL. */
static int read_options(int argc, char **argv, const struct grammar *grammar, const char **values, struct session *session,
			struct failure *err)
{
	const struct option_row *row;
	size_t index;
	int found;

	opterr = 0;
	while ((found = getopt_long(argc, argv, grammar->shorts, grammar->longs, NULL)) != -1) {
		row = grammar_row(grammar, found, &index);
		if (!row)
			return option_fault(found, argv, err);
		note_common(session, row);
		if (values)
			values[index] = row->argument ? optarg : "";
	}
	return EXIT_OK;
}

static int parse_command(int argc, char **argv, struct session *session, struct failure *err)
{
	struct grammar grammar = {.shorts = ":"};
	const struct option_row *row;
	int code;

	for (size_t i = 0; (row = commands_option(session->command, i)); i++)
		grammar_add(&grammar, row);
	optind = 0; /* glibc: begin anew, with the command as the name of the program */
	code = read_options(argc, argv, &grammar, session->values, session, err);
	if (code != EXIT_OK || session->help)
		return code;
	if (optind < argc && session->command->argument)
		session->argument = argv[optind++];
	if (optind < argc)
		return failure_set(err, EXIT_USAGE, "usage", "one word too many: %s", argv[optind]);
	if (session->command->argument_required && !session->argument)
		return failure_set(err, EXIT_USAGE, "usage",
				   *session->command->argument_choices ? "%s is missing, one of: %s" : "%s is missing%s",
				   session->command->argument, session->command->argument_choices);
	return EXIT_OK;
}

int options_parse(int argc, char **argv, struct session *ret_session, struct failure *err)
{
	struct grammar grammar = {.shorts = "+:"};
	int code, first;

	*ret_session = (struct session){0};
	for (size_t i = 0; commands_global_options[i].name; i++)
		grammar_add(&grammar, &commands_global_options[i]);
	optind = 0;
	code = read_options(argc, argv, &grammar, NULL, ret_session, err);
	if (code != EXIT_OK || ret_session->help || ret_session->version)
		return code;
	first = optind;
	if (first >= argc)
		return failure_set(err, EXIT_USAGE, "usage", "no command given");
	ret_session->command = commands_find(argv[first]);
	if (!ret_session->command)
		return failure_set(err, EXIT_USAGE, "usage", "there is no command %s", argv[first]);
	return parse_command(argc - first, argv + first, ret_session, err);
}
