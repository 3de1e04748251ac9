/* SPDX-License-Identifier: Apache-2.0
 *
 * version.c - which program this is, and which plugins it runs.
 */
#include "core/base/version.h"
#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/base/buffer.h"
#include "core/base/cleanup.h"
#include "core/service/provision.h"

#define PAGE_LIMIT 65536u

static void write_plugin(struct buffer *json, const char *kind, const char *name, const char *plugin)
{
	buffer_format(json, "{\"kind\":\"%s\",\"name\":", kind);
	buffer_json_text(json, name);
	buffer_text(json, ",\"plugin\":");
	buffer_json_text(json, plugin);
	buffer_byte(json, '}');
}

static void write_plugins(struct buffer *json, const struct api_context *api)
{
	const struct config *config = api->config;

	write_plugin(json, "storage", storage_name(api->storage), config->storage.plugin);
	buffer_byte(json, ',');
	write_plugin(json, "injector", injector_name(api->provisioner->injector), config->injector.plugin);
	for (size_t i = 0; i < config->exporter_count; i++) {
		buffer_byte(json, ',');
		write_plugin(json, "exporter", config->exporters[i].name, config->exporters[i].plugin);
	}
	for (size_t i = 0; i < config->push_count; i++) {
		buffer_byte(json, ',');
		write_plugin(json, "push", config->pushes[i].instance.name, config->pushes[i].instance.plugin);
	}
}

void api_version(void *context, struct http_request *request, struct http_reply *reply)
{
	static const char *const no_names[] = {NULL};
	AUTO(buffer_fini) struct buffer json = {.limit = 0};
	const char *copy;

	if (!arguments_check(request, no_names, reply))
		return;
	buffer_init(&json, PAGE_LIMIT);
	buffer_text(&json, "{\"name\":\"pep-server\",\"version\":\"" PEP_VERSION "\",\"commit\":");
	buffer_json_text(&json, version_commit());
	buffer_format(&json, ",\"abi\":\"%u.%u\",\"plugins\":[", PEP_ABI_MAJOR, PEP_ABI_MINOR);
	write_plugins(&json, context);
	buffer_text(&json, "]}");
	copy = json.failed ? NULL : arena_copy(request->arena, json.data, json.size);
	if (copy)
		reply_json(reply, 200, copy, json.size);
	else
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
}
