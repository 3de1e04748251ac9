/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/options.h"

#include "core/base/cleanup.h"
#include "core/config/nearest.h"
#include "core/config/place.h"
#include "core/config/secret.h"
#include "core/config/value.h"

#include <string.h>

struct option_values {
	struct arena arena; /* texts that are no secrets */
	union pep_value *values;
	char **secrets; /* secrets[i] is values[i].text, or NULL */
	size_t count;
};

/* What reading one option needs to know. */
struct reader {
	const struct config_instance *instance;
	const char *data_dir;
	struct option_values *into;
	struct pep_error *err;
};

bool options_is_source(const char *text)
{
	size_t size = strlen(text);
	size_t name_size;

	if (strncmp(text, "file:", 5) == 0)
		return size > 5;
	if (size < 4 || strncmp(text, "${", 2) != 0 || text[size - 1] != '}')
		return false;
	name_size = strspn(text + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	return name_size == size - 3;
}

const struct config_option *options_find(const struct config_instance *instance, const char *key)
{
	const struct config_option *option = instance->options;

	while (option && strcmp(option->key, key) != 0)
		option = option->next;
	return option;
}

static size_t count_options(const struct pep_option *options)
{
	size_t count = 0;

	while (options && options[count].key)
		count++;
	return count;
}

static pep_status out_of_range(const struct pep_option *option, const struct config_place *place, const char *what,
			       struct pep_error *err)
{
	bool is_span = option->type == PEP_MILLISECONDS;
	char min[32], max[32];

	value_number_write(option->min, is_span, min);
	value_number_write(option->max, is_span, max);
	return place_fail(err, PEP_INVALID, place, "\"%s\" must be %s from %s to %s", option->key, what, min, max);
}

static bool in_range(const struct pep_option *option, int64_t number)
{
	return (!option->min && !option->max) || (number >= option->min && number <= option->max);
}

static pep_status read_number(const struct pep_option *option, const char *text, const struct config_place *place,
			      union pep_value *ret_value, struct pep_error *err)
{
	bool is_span = option->type == PEP_MILLISECONDS;
	int64_t number;

	if (is_span ? !value_span(text, &number) : !value_int(text, &number))
		return place_fail(err, PEP_INVALID, place, "\"%s\" must be a %s, not \"%.64s\"", option->key,
				  is_span ? "time span with its unit (500ms, 30s, 2m, 1h)" : "whole number", text);
	if (!in_range(option, number))
		return out_of_range(option, place, is_span ? "a time span" : "a whole number", err);
	ret_value->number = number;
	return PEP_OK;
}

/* Numbers and flags; for texts, whether the length is right. Needs no memory, so a plugin's defaults are checked with it, too. */
static pep_status read_plain(const struct pep_option *option, const char *text, const struct config_place *place,
			     union pep_value *ret_value, struct pep_error *err)
{
	bool flag;

	if (option->type == PEP_INT || option->type == PEP_MILLISECONDS)
		return read_number(option, text, place, ret_value, err);
	if (option->type != PEP_BOOL)
		return in_range(option, (int64_t)strlen(text)) ? PEP_OK
							       : out_of_range(option, place, "a text with a number of bytes", err);
	if (!value_bool(text, &flag))
		return place_fail(err, PEP_INVALID, place, "\"%s\" must be true or false, not \"%.64s\"", option->key, text);
	ret_value->flag = flag;
	return PEP_OK;
}

static bool is_key(const char *key)
{
	size_t size = strnlen(key, 65);

	return size >= 1 && size <= 64 && key[0] >= 'a' && key[0] <= 'z' &&
	       strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == size;
}

static pep_status check_option(const struct pep_option *options, size_t i, struct pep_error *err)
{
	static const struct config_place place = {.file = "its default"};
	const struct pep_option *option = &options[i];
	union pep_value ignored;

	if (i >= OPTIONS_LIMIT)
		return pep_fail(err, PEP_INVALID, 0, "more than %u options, or their list has no end", OPTIONS_LIMIT);
	if (!is_key(option->key) || strcmp(option->key, "plugin") == 0 || strcmp(option->key, "name") == 0)
		return pep_fail(err, PEP_INVALID, 0, "option %zu has a key that is not allowed", i);
	for (size_t other = 0; other < i; other++)
		if (strcmp(options[other].key, option->key) == 0)
			return pep_fail(err, PEP_INVALID, 0, "option \"%s\" is listed twice", option->key);
	if (option->type < PEP_STRING || option->type > PEP_SECRET)
		return pep_fail(err, PEP_INVALID, 0, "option \"%s\" has type %d, which this server does not know", option->key,
				(int)option->type);
	if (option->min > option->max)
		return pep_fail(err, PEP_INVALID, 0, "option \"%s\" has a minimum above its maximum", option->key);
	/* An empty default of a text means "none", whatever the range. */
	if (!option->fallback || !*option->fallback)
		return !option->fallback || option->type == PEP_STRING || option->type == PEP_PATH || option->type == PEP_SECRET
			       ? PEP_OK
			       : pep_fail(err, PEP_INVALID, 0, "option \"%s\" has an empty default", option->key);
	return read_plain(option, option->fallback, &place, &ignored, err);
}

pep_status options_check(const struct pep_option *options, struct pep_error *err)
{
	pep_status status = PEP_OK;

	for (size_t i = 0; options && options[i].key && status == PEP_OK; i++)
		status = check_option(options, i, err);
	return status;
}

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading a plugin's options");
}

static pep_status read_path(const struct reader *reader, const char *text, union pep_value *value)
{
	struct arena *arena = &reader->into->arena;

	value->text = *text && *text != '/' ? arena_format(arena, "%s/%s", reader->data_dir, text) : arena_text(arena, text);
	return value->text ? PEP_OK : no_memory(reader->err);
}

static pep_status read_secret(const struct reader *reader, const struct pep_option *option, const struct config_option *written,
			      size_t i)
{
	char **secret = &reader->into->secrets[i];
	pep_status status;

	if (!written) {
		*secret = strdup(option->fallback);
		reader->into->values[i].text = *secret;
		return *secret ? PEP_OK : no_memory(reader->err);
	}
	if (!options_is_source(written->value))
		return place_fail(
			reader->err, PEP_INVALID, &written->value_place,
			"\"%s\" is a secret and must not stand here; write file:PATH or ${NAME}, and change it if others saw it",
			option->key);
	status = secret_read(written->value, reader->data_dir, secret, reader->err);
	if (status != PEP_OK)
		return place_prefix(reader->err, &written->value_place);
	reader->into->values[i].text = *secret;
	return read_plain(option, *secret, &written->value_place, &reader->into->values[i], reader->err);
}

static pep_status read_option(const struct reader *reader, const struct pep_option *option, size_t i)
{
	const struct config_option *written = options_find(reader->instance, option->key);
	union pep_value *value = &reader->into->values[i];
	const char *text = written ? written->value : option->fallback;
	pep_status status;

	if (!text)
		return place_fail(reader->err, PEP_INVALID, &reader->instance->place, "plugin \"%s\" needs \"%s\" (%s)",
				  reader->instance->plugin, option->key, option->help ? option->help : "no help given");
	if (option->type == PEP_SECRET)
		return read_secret(reader, option, written, i);
	if (written && written->is_secret_source && strncmp(text, "${", 2) == 0)
		return place_fail(reader->err, PEP_INVALID, &written->value_place,
				  "\"%s\" is no secret, and only secrets are taken from the environment; write the value",
				  option->key);
	if (written) {
		status = read_plain(option, text, &written->value_place, value, reader->err);
	} else {
		static const struct config_place place = {.file = "default"};

		status = *text ? read_plain(option, text, &place, value, reader->err) : PEP_OK;
	}
	if (status != PEP_OK || (option->type != PEP_STRING && option->type != PEP_PATH))
		return status;
	if (option->type == PEP_PATH)
		return read_path(reader, text, value);
	value->text = arena_text(&reader->into->arena, text);
	return value->text ? PEP_OK : no_memory(reader->err);
}

static pep_status check_known(const struct reader *reader, const struct pep_option *options, const struct config_option *written)
{
	struct nearest nearest;

	nearest_init(&nearest, written->key);
	for (size_t i = 0; options && options[i].key; i++) {
		if (strcmp(options[i].key, written->key) == 0)
			return PEP_OK;
		nearest_offer(&nearest, options[i].key);
	}
	if (nearest.best)
		return place_fail(reader->err, PEP_INVALID, &written->key_place,
				  "unknown key \"%s\" of plugin \"%s\"; did you mean \"%s\"?", written->key,
				  reader->instance->plugin, nearest.best);
	return place_fail(reader->err, PEP_INVALID, &written->key_place,
			  "unknown key \"%s\" of plugin \"%s\"; pep-server --help-plugin %s lists its keys", written->key,
			  reader->instance->plugin, reader->instance->plugin);
}

static struct option_values *new_values(size_t count)
{
	struct option_values *values = calloc(1, sizeof(*values));

	if (!values)
		return NULL;
	values->count = count;
	values->values = calloc(count + 1, sizeof(*values->values));
	values->secrets = calloc(count + 1, sizeof(*values->secrets));
	if (values->values && values->secrets)
		return values;
	options_free(values);
	return NULL;
}

pep_status options_read(const struct config_instance *instance, const struct pep_option *options, const char *data_dir,
			struct option_values **ret_values, struct pep_error *err)
{
	struct option_values *values = new_values(count_options(options));
	const struct reader reader = {.instance = instance, .data_dir = data_dir, .into = values, .err = err};
	pep_status status = values ? PEP_OK : no_memory(err);

	for (const struct config_option *written = instance->options; written && status == PEP_OK; written = written->next)
		status = check_known(&reader, options, written);
	for (size_t i = 0; status == PEP_OK && i < values->count; i++)
		status = read_option(&reader, &options[i], i);
	if (status != PEP_OK) {
		options_free(values);
		return status;
	}
	*ret_values = values;
	return PEP_OK;
}

const union pep_value *options_values(const struct option_values *values)
{
	return values->count ? values->values : NULL;
}

void options_free(struct option_values *values)
{
	if (!values)
		return;
	for (size_t i = 0; values->secrets && i < values->count; i++)
		secret_free(values->secrets[i]);
	free(values->secrets);
	free(values->values);
	arena_fini(&values->arena);
	free(values);
}
