/* SPDX-License-Identifier: Apache-2.0 */
#include "inner.h"

#include "core/base/cleanup.h"
#include "core/plugin/widen.h"

#include <dlfcn.h>
#include <string.h>

typedef const struct pep_plugin *(*probe_function)(uint16_t host_major);

/* It stays mapped, as the server keeps its plugins. */
static pep_status load(const char *file, const struct pep_plugin **ret_plugin, struct pep_error *err)
{
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const struct pep_plugin *plugin = NULL;
	probe_function probe = NULL;
	void *symbol;

	if (!handle)
		return pep_fail(err, PEP_INVALID, 0, "faulty: cannot load the plugin %s: %s", file, dlerror());
	symbol = dlsym(handle, "pep_plugin_probe");
	memcpy(&probe, &symbol, sizeof(probe)); /* ISO C has no cast from an object's to a function's pointer */
	if (probe)
		plugin = probe(PEP_ABI_MAJOR);
	if (!plugin || plugin->kind != PEP_STORAGE)
		return pep_fail(err, PEP_INVALID, 0, "faulty: %s is no storage plugin", file);
	if (plugin->option_size != sizeof(struct pep_option))
		return pep_fail(err, PEP_UNSUPPORTED, 0, "faulty: %s has options of another size; build it anew", file);
	*ret_plugin = plugin;
	return PEP_OK;
}

static pep_status read_options(const struct pep_plugin *plugin, const char *text, const char *folder,
			       struct option_values **ret_values, struct pep_error *err)
{
	AUTO(arena_fini) struct arena arena = {0};
	struct config_instance instance = {.name = plugin->name, .plugin = plugin->name, .place = {.file = "faulty: options"}};
	char *copy = arena_text(&arena, text), *rest = NULL;

	if (!copy)
		return pep_fail(err, PEP_NO_MEMORY, 0, "faulty: out of memory");
	for (char *word = strtok_r(copy, ";", &rest); word; word = strtok_r(NULL, ";", &rest)) {
		struct config_option *option = arena_zalloc(&arena, sizeof(*option));
		char *value = strchr(word, '=');

		if (!option || !value)
			return pep_fail(err, PEP_INVALID, 0, "faulty: \"%s\" is not KEY=VALUE", word);
		*value++ = '\0';
		*option = (struct config_option){.key = word,
						 .value = value,
						 .is_secret_source = options_is_source(value),
						 .key_place = instance.place,
						 .value_place = instance.place,
						 .next = instance.options};
		instance.options = option;
	}
	return options_read(&instance, plugin->options, folder, ret_values, err);
}

pep_status inner_open(const struct pep_host *host, const char *file, const char *options, const char *folder,
		      struct inner *ret_inner, struct pep_error *err)
{
	const struct pep_plugin *plugin = NULL;
	struct inner inner = {0};
	pep_status status = load(file, &plugin, err);

	if (status == PEP_OK && plugin)
		status = read_options(plugin, options, folder, &inner.options, err);
	if (status != PEP_OK || !plugin)
		return status;
	widen(&inner.ops, sizeof(inner.ops), plugin->ops, ((const struct pep_storage_ops *)plugin->ops)->struct_size);
	/* Faults are for many threads at once: a plugin that wants one at a time would need a lock of ours around every call. */
	status = inner.ops.threads == PEP_THREADS_PARALLEL
			 ? inner.ops.open(host, options_values(inner.options), &inner.store, err)
			 : pep_fail(err, PEP_UNSUPPORTED, 0, "faulty: %s is not for many threads", file);
	if (status != PEP_OK) {
		options_free(inner.options);
		return status;
	}
	*ret_inner = inner;
	return PEP_OK;
}

void inner_close(struct inner *inner)
{
	inner->ops.close(inner->store);
	options_free(inner->options);
}
