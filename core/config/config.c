/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/config.h"

#include "core/config/apply.h"
#include "core/config/parse.h"
#include "core/config/settings.h"

#include <stdlib.h>
#include <string.h>

static pep_status apply_setting(struct config *config, struct parse_node *root, const char *setting, struct pep_error *err)
{
	const char *equals = strchr(setting, '=');
	char *origin, *path;

	if (!equals || equals == setting)
		return pep_fail(err, PEP_INVALID, 0, "--set %.100s: write SECTION.KEY=VALUE", setting);
	path = arena_copy(&config->arena, setting, (size_t)(equals - setting));
	origin = path ? arena_format(&config->arena, "--set %s", path) : NULL;
	if (!origin)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading the command line");
	return settings_apply(&config->arena, root, origin, path, equals + 1, err);
}

static pep_status read_all(const struct config_source *source, struct config *config, struct pep_error *err)
{
	struct parse_node *root = NULL;
	const char *port = getenv("PEP_SERVER_PORT");
	pep_status status = source->path ? parse_file(&config->arena, source->path, &root, err)
					 : parse_text(&config->arena, "defaults", "", 0, &root, err);

	if (status == PEP_OK && port && *port)
		status = settings_apply(&config->arena, root, "PEP_SERVER_PORT in the environment", "server.port", port, err);
	for (size_t i = 0; i < source->setting_count && status == PEP_OK; i++)
		status = apply_setting(config, root, source->settings[i], err);
	if (status == PEP_OK)
		status = apply_tree(root, config, err);
	if (status == PEP_OK && !config->injector.plugin && !source->injector_is_optional)
		return pep_fail(
			err, PEP_INVALID, 0,
			"%s: no injector is named; add \"injector: {plugin: NAME}\" (pep-server --list-plugins shows the names; "
			"mock is for trying out only, it reaches no gateway)",
			source->path ? source->path : "defaults");
	return status;
}

pep_status config_load_from(const struct config_source *source, struct config **ret_config, struct pep_error *err)
{
	struct config *config = calloc(1, sizeof(*config));
	pep_status status;

	if (!config)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading the configuration");
	status = read_all(source, config, err);
	if (status != PEP_OK) {
		config_free(config);
		return status;
	}
	*ret_config = config;
	return PEP_OK;
}

pep_status config_load(const char *path, struct config **ret_config, struct pep_error *err)
{
	const struct config_source source = {.path = path};

	return config_load_from(&source, ret_config, err);
}

static void wipe_options(const struct config_instance *instance)
{
	/* The texts are the arena's own copies, so writing to them is ours to do. */
	for (const struct config_option *option = instance->options; option; option = option->next)
		explicit_bzero((char *)option->value, strlen(option->value));
}

void config_free(struct config *config)
{
	if (!config)
		return;
	wipe_options(&config->storage);
	wipe_options(&config->injector);
	for (size_t i = 0; i < config->exporter_count; i++)
		wipe_options(&config->exporters[i]);
	arena_fini(&config->arena);
	free(config);
}
