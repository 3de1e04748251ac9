/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session.h"

#include "core/base/cleanup.h"

#include <stdlib.h>
#include <string.h>

static size_t index_of(const struct session *session, char letter)
{
	const struct option_row *row;

	for (size_t i = 0; (row = commands_option(session->command, i)); i++)
		if (row->letter == letter)
			return i;
	abort(); /* a letter that the command does not have is a mistake in this program */
}

static const char *value_at(const struct session *session, size_t index)
{
	const char *value = session->values[index];

	return value && value[0] ? value : commands_option(session->command, index)->fallback;
}

static size_t index_of_name(const struct session *session, const char *name)
{
	const struct option_row *row;

	for (size_t i = 0; (row = commands_option(session->command, i)); i++)
		if (strcmp(row->name, name) == 0)
			return i;
	abort(); /* as above */
}

const char *session_named(const struct session *session, const char *name)
{
	return value_at(session, index_of_name(session, name));
}

bool session_has(const struct session *session, const char *name)
{
	return session->values[index_of_name(session, name)] != NULL;
}

const char *session_text(const struct session *session, char letter)
{
	return value_at(session, index_of(session, letter));
}

bool session_flag(const struct session *session, char letter)
{
	return session->values[index_of(session, letter)] != NULL;
}

/* Whether a word is one of those in a text with spaces between them. */
static bool is_choice(const char *choices, const char *word)
{
	size_t size = strlen(word), choice_size;

	for (const char *choice = choices; *choice; choice += choice_size + (choice[choice_size] == ' ')) {
		choice_size = strcspn(choice, " ");
		if (choice_size == size && memcmp(choice, word, size) == 0)
			return true;
	}
	return false;
}

int session_check(const struct session *session, struct failure *err)
{
	const struct option_row *row;
	const char *value;

	for (size_t i = 0; (row = commands_option(session->command, i)); i++) {
		value = value_at(session, i);
		if (row->required && !value)
			return failure_set(err, EXIT_USAGE, "usage", "-%c <%s> not specified!", row->letter, row->required);
		/* What is sent is judged by the server, which takes ASC and DESC in any case. */
		if (row->choices && !row->field && value && !is_choice(row->choices, value))
			return failure_set(err, EXIT_USAGE, "usage", "-%c, --%s: there is no such %s; choose one of: %s",
					   row->letter, row->name, row->name, row->choices);
	}
	return EXIT_OK;
}

int session_fields(const struct session *session, json_t **ret_fields, struct failure *err)
{
	json_t *fields = json_object();
	const struct option_row *row;
	const char *value;

	for (size_t i = 0; (row = commands_option(session->command, i)); i++) {
		value = row->field ? value_at(session, i) : NULL;
		if (!value || json_object_set_new(fields, row->field, json_string(value)) == 0)
			continue;
		json_decref(fields);
		return failure_set(err, EXIT_USAGE, "usage", "-%c, --%s: the value is not valid UTF-8; give it in UTF-8",
				   row->letter, row->name);
	}
	*ret_fields = fields;
	return EXIT_OK;
}
