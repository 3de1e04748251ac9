/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/apply.h"
#include "core/config/options.h"
#include "core/config/place.h"
#include "core/config/value.h"

#include <string.h>

#define PUSH_ATTEMPTS 10 /* by then a refused identity has been tried for some eight minutes */

static const struct config_place nowhere = {.file = "default"};

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading the configuration");
}

static pep_status check_plugin_name(const struct parse_node *node, const char *what, struct pep_error *err)
{
	if (node->kind == PARSE_TEXT && value_is_name(node->text))
		return PEP_OK;
	return place_fail(err, PEP_INVALID, &node->place,
			  "%s must be 1 to 32 lower-case letters, digits, dashes or underscores; a plugin is named, never a path",
			  what);
}

static pep_status read_option(const struct parse_node *node, struct arena *arena, struct config_option ***tail,
			      struct pep_error *err)
{
	struct config_option *option;

	if (node->kind != PARSE_TEXT)
		return place_fail(err, PEP_INVALID, &node->place, "\"%s\" must be a single value", node->key);
	if (node->is_absent)
		return place_fail(err, PEP_INVALID, &node->key_place, "\"%s\" has no value; give one, or remove the line",
				  node->key);
	option = arena_zalloc(arena, sizeof(*option));
	if (!option)
		return no_memory(err);
	option->key = node->key;
	option->value = node->text;
	option->is_secret_source = options_is_source(node->text);
	option->key_place = node->key_place;
	option->value_place = node->place;
	**tail = option;
	*tail = &option->next;
	return PEP_OK;
}

/* "NAME", or a map with "plugin" (and, for exporters, "name") and the plugin's options directly beside it. */
static pep_status read_instance(const struct parse_node *node, bool has_name, struct arena *arena, struct config_instance *instance,
				struct pep_error *err)
{
	const struct parse_node *plugin, *name;
	struct config_option **tail = &instance->options;
	pep_status status;

	if (node->kind == PARSE_LIST)
		return place_fail(err, PEP_INVALID, &node->place,
				  "expected the name of a plugin, or keys with \"plugin\" among them");
	plugin = node->kind == PARSE_TEXT ? node : parse_find(node, "plugin");
	name = has_name && node->kind == PARSE_MAP ? parse_find(node, "name") : NULL;
	if (!plugin && name)
		plugin = name;
	if (plugin) {
		status = check_plugin_name(plugin, "\"plugin\"", err);
		if (status != PEP_OK)
			return status;
		instance->name = instance->plugin = plugin->text;
		instance->place = plugin->place;
	}
	if (name) {
		status = check_plugin_name(name, "\"name\"", err);
		if (status != PEP_OK)
			return status;
		instance->name = name->text;
	}
	for (const struct parse_node *option = node->kind == PARSE_MAP ? node->first : NULL; option; option = option->next) {
		if (option == plugin || option == name)
			continue;
		status = read_option(option, arena, &tail, err);
		if (status != PEP_OK)
			return status;
	}
	return PEP_OK;
}

static pep_status read_exporter(const struct parse_node *node, struct config *config, struct pep_error *err)
{
	struct config_instance *instance = &config->exporters[config->exporter_count];
	pep_status status = read_instance(node, true, &config->arena, instance, err);

	if (status != PEP_OK)
		return status;
	if (!instance->name)
		return place_fail(err, PEP_INVALID, &node->place,
				  "an exporter needs a \"name\", which is also its plugin's if there is no "
				  "\"plugin\"");
	for (size_t i = 0; i < config->exporter_count; i++)
		if (strcmp(config->exporters[i].name, instance->name) == 0)
			return place_fail(err, PEP_INVALID, &instance->place,
					  "a second exporter named \"%s\"; give it another \"name\"", instance->name);
	config->exporter_count++;
	return PEP_OK;
}

static pep_status read_exporters(const struct parse_node *list, struct config *config, struct pep_error *err)
{
	size_t count = 0;
	pep_status status = PEP_OK;

	if (list->kind != PARSE_LIST)
		return place_fail(err, PEP_INVALID, &list->place, "\"exporters\" must be a list, such as [csv, json]; [] is none");
	for (const struct parse_node *node = list->first; node; node = node->next)
		count++;
	config->exporters = arena_zalloc(&config->arena, (count + 1) * sizeof(*config->exporters));
	if (!config->exporters)
		return no_memory(err);
	for (const struct parse_node *node = list->first; node && status == PEP_OK; node = node->next)
		status = read_exporter(node, config, err);
	return status;
}

/* --- push: the server's own keys stand among those of the plugin --- */

/* Takes the option of this key out of the list; NULL: there is none. */
static struct config_option *take_option(struct config_instance *instance, const char *key)
{
	for (struct config_option **option = &instance->options; *option; option = &(*option)->next) {
		struct config_option *found = *option;

		if (strcmp(found->key, key) == 0) {
			*option = found->next;
			return found;
		}
	}
	return NULL;
}

static pep_status read_own_keys(struct config_push *push, struct pep_error *err)
{
	const struct config_option *attempts = take_option(&push->instance, "attempts");
	const struct config_option *from = take_option(&push->instance, "from");
	int64_t count = PUSH_ATTEMPTS;

	push->attempts_place = attempts ? attempts->value_place : nowhere;
	push->from_place = from ? from->value_place : nowhere;
	if (attempts && (!value_int(attempts->value, &count) || count < 1 || count > 1000))
		return place_fail(err, PEP_INVALID, &attempts->value_place, "\"attempts\" must be a whole number from 1 to 1000");
	if (from && strcmp(from->value, "now") != 0 && strcmp(from->value, "beginning") != 0)
		return place_fail(err, PEP_INVALID, &from->value_place, "\"from\" must be now or beginning");
	push->attempts = (unsigned)count;
	push->from_beginning = from && strcmp(from->value, "beginning") == 0;
	return PEP_OK;
}

static pep_status read_push(const struct parse_node *node, struct config *config, struct pep_error *err)
{
	struct config_push *push = &config->pushes[config->push_count];
	pep_status status = read_instance(node, true, &config->arena, &push->instance, err);

	if (status == PEP_OK)
		status = read_own_keys(push, err);
	if (status != PEP_OK)
		return status;
	if (!push->instance.name)
		return place_fail(err, PEP_INVALID, &node->place,
				  "a push needs a \"name\", which is also its plugin's if there is no \"plugin\"");
	for (size_t i = 0; i < config->push_count; i++)
		if (strcmp(config->pushes[i].instance.name, push->instance.name) == 0)
			return place_fail(err, PEP_INVALID, &push->instance.place,
					  "a second push named \"%s\"; give it another \"name\"", push->instance.name);
	push->instance.is_push = true;
	config->push_count++;
	return PEP_OK;
}

static pep_status read_pushes(const struct parse_node *list, struct config *config, struct pep_error *err)
{
	size_t count = 0;
	pep_status status = PEP_OK;

	if (list->kind != PARSE_LIST)
		return place_fail(err, PEP_INVALID, &list->place, "\"push\" must be a list; begin each entry with a dash");
	for (const struct parse_node *node = list->first; node; node = node->next)
		count++;
	config->pushes = arena_zalloc(&config->arena, (count + 1) * sizeof(*config->pushes));
	if (!config->pushes)
		return no_memory(err);
	for (const struct parse_node *node = list->first; node && status == PEP_OK; node = node->next)
		status = read_push(node, config, err);
	return status;
}

static pep_status default_exporters(struct config *config, struct pep_error *err)
{
	static const char *const names[] = {"csv", "json"};

	config->exporters = arena_zalloc(&config->arena, sizeof(names) / sizeof(names[0]) * sizeof(*config->exporters));
	if (!config->exporters)
		return no_memory(err);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		config->exporters[i] = (struct config_instance){.name = names[i], .plugin = names[i], .place = nowhere};
	config->exporter_count = sizeof(names) / sizeof(names[0]);
	return PEP_OK;
}

pep_status apply_plugins(const struct parse_node *root, struct config *config, struct pep_error *err)
{
	const struct parse_node *storage = parse_find(root, "storage"), *injector = parse_find(root, "injector");
	const struct parse_node *exporters = parse_find(root, "exporters"), *push = parse_find(root, "push");
	pep_status status = PEP_OK;

	config->storage = (struct config_instance){.name = "sqlite", .plugin = "sqlite", .place = nowhere};
	if (storage && !storage->is_absent)
		status = read_instance(storage, false, &config->arena, &config->storage, err);
	if (status == PEP_OK && injector && !injector->is_absent)
		status = read_instance(injector, false, &config->arena, &config->injector, err);
	if (status == PEP_OK && push && !push->is_absent)
		status = read_pushes(push, config, err);
	if (status != PEP_OK)
		return status;
	return exporters && !exporters->is_absent ? read_exporters(exporters, config, err) : default_exporters(config, err);
}
