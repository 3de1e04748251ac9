/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"
#include "core/config/apply.h"
#include "core/config/nearest.h"
#include "core/config/network.h"
#include "core/config/place.h"
#include "core/config/value.h"

#include <limits.h>
#include <regex.h>
#include <string.h>
#include <unistd.h>

static void *member(struct config *config, const struct schema_key *key)
{
	return (char *)config + key->offset;
}

/* A text that passed its checks. All texts of struct config are const char *. */
static pep_status put_text(const struct schema_key *key, const char *text, struct config *config, struct pep_error *err)
{
	const char *copy = arena_text(&config->arena, text);

	if (!copy)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading the configuration");
	memcpy(member(config, key), &copy, sizeof(copy));
	return PEP_OK;
}

static pep_status read_text(const struct schema_key *key, const struct parse_node *node, struct config *config,
			    struct pep_error *err)
{
	size_t size = strlen(node->text);

	if (size < (size_t)key->min || size > (size_t)key->max)
		return place_fail(err, PEP_INVALID, &node->place, "\"%s\" must have %d to %d bytes, not %zu", key->name,
				  (int)key->min, (int)key->max, size);
	return put_text(key, node->text, config, err);
}

static pep_status read_url(const struct schema_key *key, const struct parse_node *node, struct config *config,
			   struct pep_error *err)
{
	const char *rest = node->text + (strncmp(node->text, "https://", 8) == 0  ? 8
					 : strncmp(node->text, "http://", 7) == 0 ? 7
										  : 0);

	if (rest == node->text || !*rest || strchr(rest, ' '))
		return place_fail(err, PEP_INVALID, &node->place, "\"%s\" must be an address that begins with https:// or http://",
				  key->name);
	return read_text(key, node, config, err);
}

static bool is_host(const char *text)
{
	size_t size = strlen(text);

	return size >= 1 && size <= 64 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == size;
}

static pep_status read_host(const struct schema_key *key, const struct parse_node *node, struct config *config,
			    struct pep_error *err)
{
	char host[HOST_NAME_MAX + 1] = "";

	if (!node->is_absent) {
		if (is_host(node->text))
			return put_text(key, node->text, config, err);
		return place_fail(err, PEP_INVALID, &node->place,
				  "\"%s\" must be 1 to 64 letters, digits, dots, dashes or underscores", key->name);
	}
	(void)gethostname(host, sizeof(host) - 1);
	if (!is_host(host))
		return place_fail(err, PEP_INVALID, &node->place, "the name of this host is no use for a server; set server.%s",
				  key->name);
	return put_text(key, host, config, err);
}

static pep_status read_address(const struct schema_key *key, const struct parse_node *node, struct config *config,
			       struct pep_error *err)
{
	unsigned char address[16];

	if (!network_address(node->text, address))
		return place_fail(err, PEP_INVALID, &node->place,
				  "\"%s\" must be a numeric address such as 127.0.0.1, 0.0.0.0 or ::1, not \"%.64s\"", key->name,
				  node->text);
	return put_text(key, node->text, config, err);
}

static pep_status read_pattern(const struct schema_key *key, const struct parse_node *node, struct config *config,
			       struct pep_error *err)
{
	regex_t pattern;
	char why[128];
	int error = regcomp(&pattern, node->text, REG_EXTENDED | REG_NOSUB);

	if (error) {
		(void)regerror(error, &pattern, why, sizeof(why));
		return place_fail(err, PEP_INVALID, &node->place, "\"%s\" is no POSIX extended regular expression: %s", key->name,
				  why);
	}
	regfree(&pattern);
	return read_text(key, node, config, err);
}

static pep_status wrong_number(const struct schema_key *key, const struct parse_node *node, struct pep_error *err)
{
	bool is_span = key->type == SCHEMA_SPAN;
	char min[32], max[32];

	value_number_write(key->min, is_span, min);
	value_number_write(key->max, is_span, max);
	return place_fail(err, PEP_INVALID, &node->place, "\"%s\" must be a %s from %s to %s, not \"%.64s\"", key->name,
			  is_span ? "time span with its unit (500ms, 30s, 2m, 1h)" : "whole number", min, max, node->text);
}

static pep_status read_number(const struct schema_key *key, const struct parse_node *node, struct config *config,
			      struct pep_error *err)
{
	int64_t number;

	if (key->type == SCHEMA_SPAN ? !value_span(node->text, &number) : !value_int(node->text, &number))
		return wrong_number(key, node, err);
	if (number < key->min || number > key->max)
		return wrong_number(key, node, err);
	if (key->type == SCHEMA_PORT)
		*(uint16_t *)member(config, key) = (uint16_t)number;
	else if (key->type == SCHEMA_COUNT)
		*(unsigned *)member(config, key) = (unsigned)number;
	else
		*(int64_t *)member(config, key) = number;
	return PEP_OK;
}

static pep_status read_bool(const struct schema_key *key, const struct parse_node *node, struct config *config,
			    struct pep_error *err)
{
	if (!value_bool(node->text, member(config, key)))
		return place_fail(err, PEP_INVALID, &node->place, "\"%s\" must be true or false, not \"%.64s\"", key->name,
				  node->text);
	return PEP_OK;
}

static pep_status read_choice(const struct schema_key *key, const struct parse_node *node, struct config *config,
			      struct pep_error *err)
{
	char words[128] = "";
	size_t size = 0;
	struct nearest nearest;

	nearest_init(&nearest, node->text);
	for (const struct schema_choice *choice = key->choices; choice->word; choice++) {
		if (strcmp(choice->word, node->text) == 0) {
			memcpy(member(config, key), &choice->value, sizeof(choice->value)); /* an int, or an enum of its size */
			return PEP_OK;
		}
		nearest_offer(&nearest, choice->word);
		size += (size_t)snprintf(words + size, sizeof(words) - size, "%s%s", size ? ", " : "", choice->word);
	}
	if (nearest.best)
		return place_fail(err, PEP_INVALID, &node->place, "\"%s\" must be one of %s; did you mean \"%s\"?", key->name,
				  words, nearest.best);
	return place_fail(err, PEP_INVALID, &node->place, "\"%s\" must be one of %s, not \"%.64s\"", key->name, words, node->text);
}

static pep_status read_networks(const struct schema_key *key, const struct parse_node *node, struct config *config,
				struct pep_error *err)
{
	struct config_network *networks;
	const char *why;
	size_t count = 0;

	for (const struct parse_node *item = node->first; item; item = item->next)
		count++;
	if (!count)
		return place_fail(err, PEP_INVALID, &node->place, "\"%s\" is empty: nobody would be in it; name a network",
				  key->name);
	networks = arena_alloc(&config->arena, count * sizeof(*networks));
	if (!networks)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading the configuration");
	count = 0;
	for (const struct parse_node *item = node->first; item; item = item->next) {
		if (item->kind != PARSE_TEXT)
			return place_fail(err, PEP_INVALID, &item->place, "a network is a single text such as 192.168.0.0/16");
		if (!network_read(item->text, &networks[count++], &why))
			return place_fail(err, PEP_INVALID, &item->place, "\"%.64s\" %s", item->text, why);
	}
	*(struct config_network **)member(config, key) = networks;
	*(size_t *)(void *)((char *)config + key->count_offset) = count;
	return PEP_OK;
}

pep_status apply_value(const struct schema_key *key, const struct parse_node *node, struct config *config, struct pep_error *err)
{
	static pep_status (*const readers[])(const struct schema_key *, const struct parse_node *, struct config *,
					     struct pep_error *) = {
		[SCHEMA_TEXT] = read_text,   [SCHEMA_HOST] = read_host,     [SCHEMA_ADDRESS] = read_address,
		[SCHEMA_URL] = read_url,     [SCHEMA_PATH] = read_text,     [SCHEMA_PATTERN] = read_pattern,
		[SCHEMA_PORT] = read_number, [SCHEMA_COUNT] = read_number,  [SCHEMA_SPAN] = read_number,
		[SCHEMA_BOOL] = read_bool,   [SCHEMA_CHOICE] = read_choice, [SCHEMA_NETWORKS] = read_networks,
	};

	if (key->type == SCHEMA_NETWORKS && node->kind != PARSE_LIST)
		return place_fail(err, PEP_INVALID, &node->place,
				  "\"%s\" must be a list; write each entry in a line, with a dash in front", key->name);
	if (key->type != SCHEMA_NETWORKS && node->kind != PARSE_TEXT)
		return place_fail(err, PEP_INVALID, &node->place, "\"%s\" must be a single value", key->name);
	return readers[key->type](key, node, config, err);
}
