/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/describe.h"

#include "core/config/place.h"
#include "core/config/print.h"
#include "core/config/value.h"
#include "core/plugin/find.h"
#include "core/plugin/loader.h"

pep_status describe_list(FILE *out, FILE *refused, const char *folder, struct pep_error *err)
{
	char **names;
	size_t count;
	pep_status result = find_all(folder, &names, &count, err);

	if (result != PEP_OK)
		return result;
	for (size_t i = 0; i < count; i++) {
		const struct library *library;
		struct pep_error why = {0};
		pep_status status = loader_load(folder, names[i], 0, &library, &why);

		if (status == PEP_OK) {
			(void)fprintf(out, "%-20s %-9s %-12s ABI %u.%u\n", library->plugin.name,
				      library_kind_name(library->plugin.kind), library->plugin.version, library->plugin.abi_major,
				      library->plugin.abi_minor);
			continue;
		}
		(void)fprintf(refused, "pep-server: %s\n", why.message);
		result = pep_fail(err, status, 0, "plugins were refused in %s", folder);
	}
	find_free(names, count);
	return result;
}

static const char *type_name(int32_t type)
{
	static const char *const names[] = {
		[PEP_STRING] = "text", [PEP_INT] = "whole number",       [PEP_BOOL] = "true or false",
		[PEP_PATH] = "path",   [PEP_MILLISECONDS] = "time span", [PEP_SECRET] = "secret, as file:PATH or ${NAME}",
	};

	return names[type];
}

static void describe_option(FILE *out, const struct pep_option *option)
{
	bool is_number = option->type == PEP_INT || option->type == PEP_MILLISECONDS;
	char min[32], max[32];

	(void)fprintf(out, "\n  %s: %s", option->key, type_name(option->type));
	if ((option->min || option->max) && option->type != PEP_BOOL) {
		value_number_write(option->min, option->type == PEP_MILLISECONDS, min);
		value_number_write(option->max, option->type == PEP_MILLISECONDS, max);
		(void)fprintf(out, ", %s to %s%s", min, max, is_number ? "" : " bytes");
	}
	if (!option->fallback)
		(void)fputs(", required\n", out);
	else if (!*option->fallback)
		(void)fputs(", default: none\n", out);
	else
		(void)fprintf(out, ", default: %s\n", option->fallback);
	if (option->help)
		(void)fprintf(out, "      %s\n", option->help);
}

pep_status describe_plugin(FILE *out, const char *folder, const char *name, struct pep_error *err)
{
	const struct library *library;
	pep_status status = loader_load(folder, name, 0, &library, err);

	if (status != PEP_OK)
		return status;
	(void)fprintf(out, "%s %s, %s, plugin ABI %u.%u\n", library->plugin.name, library->plugin.version,
		      library_kind_name(library->plugin.kind), library->plugin.abi_major, library->plugin.abi_minor);
	if (!library->options || !library->options->key)
		(void)fputs("It has no options.\n", out);
	for (const struct pep_option *option = library->options; option && option->key; option++)
		describe_option(out, option);
	return PEP_OK;
}

static pep_status describe_push(FILE *out, const struct config *config, const struct config_push *push, struct pep_error *err)
{
	const struct library *library;
	pep_status status = loader_load(config->plugin_dir, push->instance.plugin, PEP_EXPORTER, &library, err);

	if (status != PEP_OK) {
		(void)place_prefix(err, &push->instance.place);
		return status;
	}
	print_push(out, push, library->options);
	return PEP_OK;
}

static pep_status describe_instance(FILE *out, const struct config *config, const struct config_instance *instance, int32_t kind,
				    struct pep_error *err)
{
	const struct library *library;
	pep_status status = loader_load(config->plugin_dir, instance->plugin, kind, &library, err);

	if (status != PEP_OK) {
		(void)place_prefix(err, &instance->place);
		return status;
	}
	print_instance(out, instance, library->options, kind == PEP_EXPORTER);
	return PEP_OK;
}

pep_status describe_config(FILE *out, const struct config *config, struct pep_error *err)
{
	pep_status status;

	print_sections(out, config);
	(void)fputs("storage:\n", out);
	status = describe_instance(out, config, &config->storage, PEP_STORAGE, err);
	if (status == PEP_OK) {
		(void)fputs("injector:\n", out);
		status = describe_instance(out, config, &config->injector, PEP_INJECTOR, err);
	}
	if (status == PEP_OK)
		(void)fputs(config->exporter_count ? "exporters:\n" : "exporters: []\n", out);
	for (size_t i = 0; i < config->exporter_count && status == PEP_OK; i++)
		status = describe_instance(out, config, &config->exporters[i], PEP_EXPORTER, err);
	if (status == PEP_OK && config->push_count)
		(void)fputs("push:\n", out);
	for (size_t i = 0; i < config->push_count && status == PEP_OK; i++)
		status = describe_push(out, config, &config->pushes[i], err);
	return status;
}
