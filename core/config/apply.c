/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/apply.h"

#include "core/config/nearest.h"
#include "core/config/network.h"
#include "core/config/place.h"
#include "core/config/settings.h"

#include <string.h>

static const char by_default[] = "default"; /* the "file" of what nobody wrote */

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading the configuration");
}

static bool has_keys(const char *section)
{
	for (size_t i = 0; i < schema_count; i++)
		if (strcmp(schema_keys[i].section, section) == 0)
			return true;
	return false;
}

static pep_status check_name(const struct parse_node *node, struct pep_error *err)
{
	struct nearest nearest;

	nearest_init(&nearest, node->key);
	for (size_t i = 0; schema_sections[i]; i++) {
		if (strcmp(schema_sections[i], node->key) == 0)
			return PEP_OK;
		nearest_offer(&nearest, schema_sections[i]);
	}
	if (nearest.best)
		return place_fail(err, PEP_INVALID, &node->key_place, "unknown section \"%s\"; did you mean \"%s\"?", node->key,
				  nearest.best);
	return place_fail(
		err, PEP_INVALID, &node->key_place,
		"unknown section \"%s\"; there are server, log, access, tls, identity, orders, injection, storage, injector, "
		"exporters and push",
		node->key);
}

static pep_status unknown_key(const char *section, const struct parse_node *node, struct pep_error *err)
{
	struct nearest nearest;

	nearest_init(&nearest, node->key);
	for (size_t i = 0; i < schema_count; i++)
		if (strcmp(schema_keys[i].section, section) == 0)
			nearest_offer(&nearest, schema_keys[i].name);
	if (nearest.best)
		return place_fail(err, PEP_INVALID, &node->key_place, "unknown key \"%s\" in \"%s\"; did you mean \"%s\"?",
				  node->key, section, nearest.best);
	for (size_t i = 0; i < schema_count; i++)
		if (strcmp(schema_keys[i].name, node->key) == 0)
			return place_fail(err, PEP_INVALID, &node->key_place, "unknown key \"%s\" in \"%s\"; it belongs to \"%s\"",
					  node->key, section, schema_keys[i].section);
	return place_fail(err, PEP_INVALID, &node->key_place, "unknown key \"%s\" in \"%s\"; pep.yaml(5) lists the keys", node->key,
			  section);
}

static pep_status check_section(const struct parse_node *section, struct pep_error *err)
{
	if (!has_keys(section->key) || section->is_absent)
		return PEP_OK;
	if (section->kind != PARSE_MAP)
		return place_fail(err, PEP_INVALID, &section->place, "\"%s\" holds keys; write them below it, indented",
				  section->key);
	for (const struct parse_node *node = section->first; node; node = node->next)
		if (!schema_find(section->key, node->key))
			return unknown_key(section->key, node, err);
	return PEP_OK;
}

/* What the table says where the file says nothing. NULL with *ret_status PEP_OK: the key stays absent. */
static const struct parse_node *fallback_node(const struct schema_key *key, struct config *config, pep_status *ret_status)
{
	static const struct config_place place = {.file = by_default};
	struct parse_node *node;

	*ret_status = PEP_OK;
	if (!key->fallback && key->type != SCHEMA_HOST)
		return NULL;
	if (key->type == SCHEMA_NETWORKS) {
		node = settings_list(&config->arena, key->fallback, &place);
	} else {
		node = arena_zalloc(&config->arena, sizeof(*node));
		if (node)
			*node = (struct parse_node){
				.kind = PARSE_TEXT, .text = key->fallback, .place = place, .is_absent = !key->fallback};
	}
	if (!node)
		*ret_status = PEP_NO_MEMORY;
	return node;
}

static pep_status apply_key(const struct parse_node *root, size_t i, struct config_place *places, struct config *config,
			    struct pep_error *err)
{
	const struct schema_key *key = &schema_keys[i];
	const struct parse_node *section = parse_find(root, key->section);
	const struct parse_node *node = section ? parse_find(section, key->name) : NULL;
	pep_status status;

	places[i] = (struct config_place){.file = by_default};
	if (!node) {
		node = fallback_node(key, config, &status);
		if (status != PEP_OK)
			return no_memory(err);
		return node ? apply_value(key, node, config, err) : PEP_OK;
	}
	if (node->is_absent)
		return place_fail(err, PEP_INVALID, &node->key_place, "\"%s\" has no value; give one, or remove the line",
				  key->name);
	places[i] = node->place;
	return apply_value(key, node, config, err);
}

static const struct config_place *place_of(const struct config *config, const char *section, const char *name)
{
	return &config->places[schema_find(section, name) - schema_keys];
}

/* Of keys that do not go together, the first one that somebody wrote is to blame. */
static const struct config_place *written(const struct config_place *const *places, size_t count)
{
	for (size_t i = 0; i + 1 < count; i++)
		if (strcmp(places[i]->file, by_default) != 0)
			return places[i];
	return places[count - 1];
}

static pep_status check_lease(const struct config *config, struct pep_error *err)
{
	const struct config_place *places[] = {place_of(config, "injection", "lease"), place_of(config, "injection", "timeout")};

	if (config->lease_ms <= config->injection_timeout_ms)
		return place_fail(
			err, PEP_INVALID, written(places, 2),
			"\"lease\" (%lld ms) must be longer than \"timeout\" (%lld ms): a claim must outlive its injection",
			(long long)config->lease_ms, (long long)config->injection_timeout_ms);
	return PEP_OK;
}

/* The HTTP server insists on it; here --check-config finds it, too. */
static pep_status check_connections(const struct config *config, struct pep_error *err)
{
	const struct config_place *places[] = {place_of(config, "server", "connections"), place_of(config, "server", "injections"),
					       place_of(config, "server", "injection_queue")};

	if (config->injections + config->injection_queue > config->connections / 2)
		return place_fail(
			err, PEP_INVALID, written(places, 3),
			"\"injections\" (%u) and \"injection_queue\" (%u) may take at most half of \"connections\" (%u), so "
			"that lookups get through; set connections higher",
			config->injections, config->injection_queue, config->connections);
	return PEP_OK;
}

static pep_status check_anonymous(const struct config *config, struct pep_error *err)
{
	if (config->anonymous_provision && !config->anonymous_network_count)
		return place_fail(
			err, PEP_INVALID, place_of(config, "access", "anonymous_provision"),
			"\"anonymous_provision\" is for named networks only; say in \"anonymous_networks\" who may come without a "
			"token");
	for (size_t i = 0; i < config->anonymous_network_count; i++)
		if (network_is_everything(&config->anonymous_networks[i]))
			return place_fail(err, PEP_INVALID, place_of(config, "access", "anonymous_networks"),
					  "\"anonymous_networks\" has a network that is everybody; name those of the stations");
	return PEP_OK;
}

/* A relative path is below data_dir, as those of plugins. */
static pep_status place_file(struct config *config, const char **path, struct pep_error *err)
{
	if (!*path || **path == '/')
		return PEP_OK;
	*path = arena_format(&config->arena, "%s/%s", config->data_dir, *path);
	return *path ? PEP_OK : no_memory(err);
}

static pep_status check_tls(struct config *config, struct pep_error *err)
{
	pep_status status;

	if (config->tls_certificate && !config->tls_key)
		return place_fail(err, PEP_INVALID, place_of(config, "tls", "certificate"),
				  "\"certificate\" needs its \"key\"; pep-server tls init makes both");
	if (!config->tls_certificate && (config->tls_key || config->tls_client_ca))
		return place_fail(err, PEP_INVALID, place_of(config, "tls", config->tls_key ? "key" : "client_ca"),
				  "\"%s\" needs a \"certificate\"; without one the server speaks plain HTTP",
				  config->tls_key ? "key" : "client_ca");
	status = place_file(config, &config->tls_certificate, err);
	if (status == PEP_OK)
		status = place_file(config, &config->tls_key, err);
	return status == PEP_OK ? place_file(config, &config->tls_client_ca, err) : status;
}

static pep_status check_together(struct config *config, struct pep_error *err)
{
	pep_status status = check_lease(config, err);

	if (status == PEP_OK)
		status = check_tls(config, err);
	if (status == PEP_OK)
		status = check_anonymous(config, err);
	return status == PEP_OK ? check_connections(config, err) : status;
}

pep_status apply_tree(const struct parse_node *root, struct config *config, struct pep_error *err)
{
	struct config_place *places = arena_zalloc(&config->arena, schema_count * sizeof(*places));
	pep_status status = PEP_OK;

	if (!places)
		return no_memory(err);
	for (const struct parse_node *node = root->first; node && status == PEP_OK; node = node->next) {
		status = check_name(node, err);
		if (status == PEP_OK)
			status = check_section(node, err);
	}
	for (size_t i = 0; i < schema_count && status == PEP_OK; i++)
		status = apply_key(root, i, places, config, err);
	config->places = places;
	if (status == PEP_OK)
		status = check_together(config, err);
	return status == PEP_OK ? apply_plugins(root, config, err) : status;
}
