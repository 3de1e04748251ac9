/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/print.h"

#include "core/config/network.h"
#include "core/config/options.h"
#include "core/config/schema.h"
#include "core/config/value.h"

#include <string.h>

void print_quoted(FILE *out, const char *text)
{
	/* Values hold no control characters, so these two are all that could end it. */
	(void)fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

static void print_place(FILE *out, const struct config_place *place)
{
	if (place->line)
		(void)fprintf(out, "  # %s:%u:%u\n", place->file, place->line, place->column);
	else
		(void)fprintf(out, "  # %s\n", place->file);
}

static const char *choice_word(const struct schema_key *key, const void *member)
{
	int value;

	memcpy(&value, member, sizeof(value));
	for (const struct schema_choice *choice = key->choices; choice->word; choice++)
		if (choice->value == value)
			return choice->word;
	return "";
}

static void print_networks(FILE *out, const struct schema_key *key, const struct config *config)
{
	const struct config_network *networks = *(struct config_network *const *)(const void *)((const char *)config + key->offset);
	size_t count = *(const size_t *)(const void *)((const char *)config + key->count_offset);
	char text[64];

	(void)fputc('[', out);
	for (size_t i = 0; i < count; i++) {
		network_write(&networks[i], text);
		(void)fprintf(out, "%s\"%s\"", i ? ", " : "", text);
	}
	(void)fputc(']', out);
}

static void print_number(FILE *out, const struct schema_key *key, const void *member)
{
	char text[32];
	int64_t number;

	if (key->type == SCHEMA_PORT)
		number = *(const uint16_t *)member;
	else if (key->type == SCHEMA_COUNT)
		number = *(const unsigned *)member;
	else
		number = *(const int64_t *)member;
	value_number_write(number, key->type == SCHEMA_SPAN, text);
	(void)fputs(text, out);
}

static void print_value(FILE *out, const struct schema_key *key, const struct config *config)
{
	const void *member = (const char *)config + key->offset;
	const char *text;

	switch (key->type) {
	case SCHEMA_PORT:
	case SCHEMA_COUNT:
	case SCHEMA_SPAN:
		print_number(out, key, member);
		break;
	case SCHEMA_BOOL:
		(void)fputs(*(const bool *)member ? "true" : "false", out);
		break;
	case SCHEMA_CHOICE:
		(void)fputs(choice_word(key, member), out);
		break;
	case SCHEMA_NETWORKS:
		print_networks(out, key, config);
		break;
	default:
		memcpy(&text, member, sizeof(text));
		print_quoted(out, text);
	}
}

/* A key without default that nobody set has no value to show. */
static bool is_set(const struct schema_key *key, const struct config *config)
{
	const void *value; /* a text, or the first network */

	if (key->type > SCHEMA_PATTERN && key->type != SCHEMA_NETWORKS)
		return true;
	memcpy(&value, (const char *)config + key->offset, sizeof(value));
	return value != NULL;
}

void print_sections(FILE *out, const struct config *config)
{
	const char *section = "";

	for (size_t i = 0; i < schema_count; i++) {
		const struct schema_key *key = &schema_keys[i];

		if (strcmp(section, key->section) != 0)
			(void)fprintf(out, "%s:\n", key->section);
		section = key->section;
		if (!is_set(key, config)) {
			(void)fprintf(out, "  # %s: not set\n", key->name);
			continue;
		}
		(void)fprintf(out, "  %s: ", key->name);
		print_value(out, key, config);
		print_place(out, &config->places[i]);
	}
}

static void print_option(FILE *out, const char *indent, const struct config_instance *instance, const struct pep_option *option)
{
	const struct config_option *written = options_find(instance, option->key);
	bool is_hidden = option->type == PEP_SECRET && written && !written->is_secret_source;
	const char *text = written ? written->value : option->fallback;

	/* An empty default is "none"; written out it would have to pass the checks of a value. */
	if (!text || is_hidden || (!written && !*text)) {
		(void)fprintf(out, "%s# %s: %s\n", indent, option->key, is_hidden ? "a secret, not shown" : "not set");
		return;
	}
	(void)fprintf(out, "%s%s: ", indent, option->key);
	if (option->type == PEP_INT || option->type == PEP_BOOL || option->type == PEP_MILLISECONDS)
		(void)fputs(text, out);
	else
		print_quoted(out, text);
	if (written)
		print_place(out, &written->value_place);
	else
		(void)fputs("  # default\n", out);
}

void print_instance(FILE *out, const struct config_instance *instance, const struct pep_option *options, bool is_entry)
{
	const char *indent = is_entry ? "    " : "  ";

	if (is_entry)
		(void)fprintf(out, "  - name: %s\n", instance->name);
	(void)fprintf(out, "%splugin: %s", indent, instance->plugin);
	print_place(out, &instance->place);
	for (; options && options->key; options++)
		print_option(out, indent, instance, options);
}

void print_push(FILE *out, const struct config_push *push, const struct pep_option *options)
{
	print_instance(out, &push->instance, options, true);
	(void)fprintf(out, "    attempts: %u", push->attempts);
	print_place(out, &push->attempts_place);
	(void)fprintf(out, "    from: %s", push->from_beginning ? "beginning" : "now");
	print_place(out, &push->from_place);
}
