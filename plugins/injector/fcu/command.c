/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "words.h"

#include <stdlib.h>
#include <string.h>

enum { PYTHON, SCRIPT, HOME, SERIAL, IP, PORT, PLACEHOLDERS };
static const char *const placeholders[PLACEHOLDERS] = {"{python}", "{script}", "{home}", "{serial}", "{ip}", "{port}"};

/* What stands for each of them; the port as text. */
struct meaning {
	const char *texts[PLACEHOLDERS];
	char port[8];
};

static void set_meaning(struct meaning *meaning, const struct command_values *values)
{
	(void)snprintf(meaning->port, sizeof(meaning->port), "%u", (unsigned)values->port);
	meaning->texts[PYTHON] = values->python;
	meaning->texts[SCRIPT] = values->script;
	meaning->texts[HOME] = values->home;
	meaning->texts[SERIAL] = values->serial;
	meaning->texts[IP] = values->ip;
	meaning->texts[PORT] = meaning->port;
}

/* Which placeholder begins at `text`; PLACEHOLDERS: none. */
static int placeholder_at(const char *text, size_t size)
{
	int number = 0;

	while (number < PLACEHOLDERS &&
	       (strlen(placeholders[number]) > size || strncmp(text, placeholders[number], strlen(placeholders[number])) != 0))
		number++;
	return number;
}

/* The next word of a list; its size, 0: there is none. */
static size_t next_word(const char **text)
{
	*text += strspn(*text, " ");
	return strcspn(*text, " ");
}

static pep_status check_word(const char *word, size_t size, bool seen[PLACEHOLDERS], struct pep_error *err)
{
	for (size_t i = 0; i < size; i++) {
		int number;

		if (word[i] == '}')
			return pep_fail(err, PEP_INVALID, 0, "fcu: command has a } without a placeholder before it in \"%.*s\"",
					(int)(size < 64 ? size : 64), word);
		if (word[i] != '{')
			continue;
		number = placeholder_at(word + i, size - i);
		if (number == PLACEHOLDERS)
			return pep_fail(
				err, PEP_INVALID, 0,
				"fcu: command has an unknown placeholder in \"%.*s\"; there are {python}, {script}, {home}, "
				"{serial}, {ip} and {port}",
				(int)(size < 64 ? size : 64), word);
		seen[number] = true;
		i += strlen(placeholders[number]) - 1;
	}
	return PEP_OK;
}

static pep_status check_program(const char *word, size_t size, const struct command_values *values, struct pep_error *err)
{
	int number = placeholder_at(word, size);
	const char *begin = word;

	if (number == PYTHON)
		begin = values->python;
	else if (number == SCRIPT)
		begin = values->script;
	else if (number == HOME)
		begin = values->home;
	if (begin[0] != '/')
		return pep_fail(err, PEP_INVALID, 0, "fcu: command begins with \"%.*s\", which is no absolute path",
				(int)(size < 64 ? size : 64), word);
	return PEP_OK;
}

pep_status command_check(const char *format, const struct command_values *values, struct pep_error *err)
{
	bool seen[PLACEHOLDERS] = {false};
	size_t count = 0;
	pep_status status = PEP_OK;

	for (size_t size = next_word(&format); size && status == PEP_OK; size = next_word(&format)) {
		if (count == 0)
			status = check_program(format, size, values, err);
		if (status == PEP_OK)
			status = check_word(format, size, seen, err);
		count++;
		format += size;
	}
	if (status != PEP_OK)
		return status;
	if (count == 0 || count > COMMAND_WORDS_MAX)
		return pep_fail(err, PEP_INVALID, 0, "fcu: command has %zu words; it needs 1 to %d", count, COMMAND_WORDS_MAX);
	for (int number = SERIAL; number < PLACEHOLDERS; number++)
		if (!seen[number])
			return pep_fail(err, PEP_INVALID, 0, "fcu: command does not say where %s goes", placeholders[number]);
	return PEP_OK;
}

static pep_status add_word(struct words *words, const char *word, size_t size, const struct meaning *meaning, struct pep_error *err)
{
	int first = placeholder_at(word, size);

	if (first != PLACEHOLDERS && meaning->texts[first][0] == '-')
		return pep_fail(err, PEP_INVALID, 0,
				"fcu: %s begins with a dash, which the tool would take for an option; write --name=%s in command",
				placeholders[first], placeholders[first]);
	words_begin(words);
	for (size_t i = 0; i < size;) {
		int number = placeholder_at(word + i, size - i);
		bool is_text = number == PLACEHOLDERS;
		const char *text = is_text ? word + i : meaning->texts[number];

		words_add(words, text, is_text ? 1 : strlen(text));
		i += is_text ? 1 : strlen(placeholders[number]);
	}
	words_end(words);
	return PEP_OK;
}

static pep_status take(struct words *words, pep_status status, char ***ret_list, struct pep_error *err)
{
	char **list;

	if (status != PEP_OK) {
		words_drop(words);
		return status;
	}
	list = words_take(words);
	if (!list)
		return pep_fail(err, PEP_NO_MEMORY, 0, "fcu: no memory for the tool's arguments and environment");
	*ret_list = list;
	return PEP_OK;
}

pep_status command_build(const char *format, const struct command_values *values, char ***ret_argv, struct pep_error *err)
{
	struct words words = {0};
	struct meaning meaning = {.port = ""};
	pep_status status = PEP_OK;

	set_meaning(&meaning, values);
	for (size_t size = next_word(&format); size && status == PEP_OK; size = next_word(&format)) {
		status = add_word(&words, format, size, &meaning, err);
		format += size;
	}
	return take(&words, status, ret_argv, err);
}

/* --- environment --- */

static size_t name_size(const char *word, size_t size)
{
	size_t i = 0;

	while (i < size && ((word[i] >= 'A' && word[i] <= 'Z') || (word[i] >= 'a' && word[i] <= 'z') || word[i] == '_' ||
			    (i && word[i] >= '0' && word[i] <= '9')))
		i++;
	return i;
}

pep_status command_check_names(const char *names, bool secrets, struct pep_error *err)
{
	size_t count = 0;

	for (size_t size = next_word(&names); size; size = next_word(&names)) {
		size_t name = name_size(names, size);

		if (name == 0 || (name < size && (names[name] != '=' || secrets)))
			/* Not the word: it may be a secret in the wrong place. */
			return pep_fail(err, PEP_INVALID, 0, "fcu: word %zu of %s is not %s", count + 1,
					secrets ? "secret_environment" : "environment", secrets ? "a NAME" : "NAME or NAME=VALUE");
		names += size;
		if (++count > WORDS_MAX / 4)
			return pep_fail(err, PEP_INVALID, 0, "fcu: %s has over %d words",
					secrets ? "secret_environment" : "environment", WORDS_MAX / 4);
	}
	return PEP_OK;
}

static void add_variable(struct words *words, const char *name, size_t size, const char *value)
{
	words_begin(words);
	words_add(words, name, size);
	words_add(words, "=", 1);
	words_add(words, value, strlen(value));
	words_end(words);
}

static void add_names(struct words *words, const char *names)
{
	for (size_t size = next_word(&names); size; size = next_word(&names)) {
		size_t name = name_size(names, size);
		char key[256];
		const char *value;

		if (name < size) {
			words_begin(words);
			words_add(words, names, size);
			words_end(words);
		} else if (size < sizeof(key)) {
			memcpy(key, names, size);
			key[size] = '\0';
			value = getenv(key);
			if (value)
				add_variable(words, key, size, value);
		}
		names += size;
	}
}

pep_status command_environment(const char *home, const char *folder, const char *names, const char *secrets,
			       char ***ret_environment, struct pep_error *err)
{
	struct words words = {0};

	add_variable(&words, "PATH", 4, "/usr/local/bin:/usr/bin:/bin");
	/* Its CBOR library failed under other locales. */
	add_variable(&words, "LC_ALL", 6, "C.UTF-8");
	add_variable(&words, "LANG", 4, "C.UTF-8");
	add_variable(&words, "FCU_HOME_DIR", 12, home);
	add_variable(&words, "TMPDIR", 6, folder);
	add_names(&words, names);
	add_names(&words, secrets);
	return take(&words, PEP_OK, ret_environment, err);
}
