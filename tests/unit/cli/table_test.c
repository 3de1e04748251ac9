/* SPDX-License-Identifier: Apache-2.0
 *
 * Every option of the table is in the help, in each completion script, and in the manual, where it belongs.
 */
#include "cli/completion.h"
#include "cli/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MANUAL PEP_TEST_SOURCE_DIR "/docs/man/pep-cli.1.scd"

static char *read_manual(void)
{
	FILE *file = fopen(MANUAL, "re");
	char *text = calloc(1, 65536);

	assert_non_null(file);
	assert_non_null(text);
	assert_in_range(fread(text, 1, 65535, file), 1, 65534);
	(void)fclose(file);
	return text;
}

/* The part of a text from one mark to the next of the other marks; the caller frees it. */
static char *part_of(const char *text, const char *from, const char *to)
{
	const char *begin = strstr(text, from), *end;

	if (!begin)
		fail_msg("no \"%s\"", from);
	begin = begin ? begin + strlen(from) : text;
	end = strstr(begin, to);
	return end ? strndup(begin, (size_t)(end - begin)) : strdup(begin);
}

/* That a text holds what a printf() format and its values make. */
#define assert_holds(text, where, ...)                                 \
	do {                                                           \
		char wanted_[256];                                     \
		(void)snprintf(wanted_, sizeof(wanted_), __VA_ARGS__); \
		if (!strstr(text, wanted_))                            \
			fail_msg("%s: no \"%s\"", where, wanted_);     \
	} while (0)

static void letters_and_names_are_unique(void **state)
{
	const struct option_row *a, *b;

	(void)state;
	for (const struct command *command = commands_table; command->name; command++) {
		size_t count = 0;

		for (; (a = commands_option(command, count)); count++)
			for (size_t j = 0; j < count; j++) {
				b = commands_option(command, j);
				assert_string_not_equal(a->name, b->name);
				assert_false(a->letter && a->letter == b->letter);
			}
		assert_in_range(count, 1, COMMAND_OPTIONS_MAX);
	}
}

static void help_names_everything(void **state)
{
	char *usage = help_usage(NULL);
	const struct option_row *row;

	(void)state;
	assert_holds(usage, "usage", "Usage: pep-cli ");
	for (const struct command *command = commands_table; command->name; command++) {
		char *own = help_usage(command);

		assert_holds(usage, "usage", "  %s ", command->name);
		assert_int_equal(strncmp(own, "Usage: pep-cli ", 15), 0);
		for (size_t i = 0; (row = commands_option(command, i)); i++) {
			if (row->letter)
				assert_holds(own, command->name, "  -%c, --%s", row->letter, row->name);
			else
				assert_holds(own, command->name, "      --%s", row->name);
			if (row->fallback)
				assert_holds(own, command->name, "(default: %s)", row->fallback);
		}
		free(own);
	}
	for (row = commands_global_options; row->name; row++)
		assert_holds(usage, "usage", "--%s", row->name);
	free(usage);
}

static void manual_names(const char *text, const struct option_row *row, const char *where)
{
	if (row->letter)
		assert_holds(text, where, "*-%c*, *--%s*", row->letter, row->name);
	else
		assert_holds(text, where, "*--%s*", row->name);
	if (row->argument)
		assert_holds(text, where, "*--%s* _%s_", row->name, row->argument);
}

static void the_manual_names_everything(void **state)
{
	char *manual = read_manual(), *global = part_of(manual, "# OPTIONS BEFORE THE COMMAND\n", "\n# ");
	char *common = part_of(manual, "# OPTIONS OF EVERY COMMAND\n", "\n# ");

	(void)state;
	for (const struct option_row *row = commands_global_options; row->name; row++)
		manual_names(global, row, "OPTIONS BEFORE THE COMMAND");
	for (const struct command *command = commands_table; command->name; command++) {
		char mark[64], *own;
		const struct option_row *row;
		size_t own_count = 0;

		(void)snprintf(mark, sizeof(mark), "\n## %s\n", command->name);
		own = part_of(manual, mark, "\n#");
		for (; command->options[own_count].name; own_count++)
			manual_names(own, &command->options[own_count], command->name);
		for (size_t i = own_count; (row = commands_option(command, i)); i++)
			manual_names(common, row, "OPTIONS OF EVERY COMMAND");
		free(own);
	}
	free(common);
	free(global);
	free(manual);
}

static void bash_completes_everything(void **state)
{
	char *script = completion_script("bash"), mark[64];
	const struct option_row *row;

	(void)state;
	for (const struct command *command = commands_table; command->name; command++) {
		char *own;

		(void)snprintf(mark, sizeof(mark), "\n\t%s)\n", command->name);
		own = part_of(script, mark, ";;");
		for (size_t i = 0; (row = commands_option(command, i)); i++) {
			if (row->letter)
				assert_holds(own, command->name, "-%c --%s ", row->letter, row->name);
			else
				assert_holds(own, command->name, "--%s ", row->name);
			if (row->argument && row->letter)
				assert_holds(script, command->name, "| '%s -%c')", command->name, row->letter);
		}
		free(own);
	}
	free(script);
}

static void zsh_completes_everything(void **state)
{
	char *script = completion_script("zsh"), mark[64];
	const struct option_row *row;

	(void)state;
	for (const struct command *command = commands_table; command->name; command++) {
		char *own;

		assert_holds(script, "zsh", "'%s:%s'", command->name, command->summary);
		(void)snprintf(mark, sizeof(mark), "\n\t\t%s)\n", command->name);
		own = part_of(script, mark, ";;");
		for (size_t i = 0; (row = commands_option(command, i)); i++) {
			if (row->letter)
				assert_holds(own, command->name, "{-%c,--%s}", row->letter, row->name);
			else
				assert_holds(own, command->name, "'--%s[", row->name);
		}
		free(own);
	}
	free(script);
}

static void fish_completes_everything(void **state)
{
	char *script = completion_script("fish");
	const struct option_row *row;

	(void)state;
	for (const struct command *command = commands_table; command->name; command++) {
		assert_holds(script, "fish", " -a %s -d '%s'\n", command->name, command->summary);
		for (size_t i = 0; (row = commands_option(command, i)); i++) {
			if (row->letter)
				assert_holds(script, "fish", "from %s' -s %c -l %s ", command->name, row->letter, row->name);
			else
				assert_holds(script, "fish", "from %s' -l %s ", command->name, row->name);
		}
	}
	free(script);
}

static void no_other_shell(void **state)
{
	(void)state;
	assert_null(completion_script("csh"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_and_names_are_unique),
		cmocka_unit_test(help_names_everything),
		cmocka_unit_test(the_manual_names_everything),
		cmocka_unit_test(bash_completes_everything),
		cmocka_unit_test(zsh_completes_everything),
		cmocka_unit_test(fish_completes_everything),
		cmocka_unit_test(no_other_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
