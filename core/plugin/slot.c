/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/slot.h"

#include "core/config/place.h"
#include "core/plugin/loader.h"

#include <string.h>

/* struct_size and threads come first in every kind's table. */
static uint32_t threads_of(const struct library *library)
{
	uint32_t threads;

	memcpy(&threads, (const char *)&library->ops + offsetof(struct pep_storage_ops, threads), sizeof(threads));
	return threads;
}
_Static_assert(offsetof(struct pep_storage_ops, threads) == offsetof(struct pep_injector_ops, threads) &&
		       offsetof(struct pep_storage_ops, threads) == offsetof(struct pep_exporter_ops, threads),
	       "every kind has its thread model at the same place");

/* An exporter writes files for those who ask, or is a subscriber, or both. */
static pep_status check_use(const struct library *library, const struct config_instance *config, struct pep_error *err)
{
	const struct pep_exporter_ops *ops = &library->ops.exporter;

	if (config->is_push && !ops->deliver)
		return pep_fail(err, PEP_INVALID, 0, "plugin \"%s\" cannot push, it only writes files; name it under \"exporters\"",
				config->plugin);
	if (!config->is_push && !ops->record)
		return pep_fail(err, PEP_INVALID, 0, "plugin \"%s\" writes no files, it only pushes; name it under \"push\"",
				config->plugin);
	return PEP_OK;
}

pep_status slot_init(struct slot *slot, const struct instance_context *context, const struct config_instance *config, int32_t kind,
		     struct pep_error *err)
{
	const struct library *library;
	struct option_values *options;
	pep_status status = loader_load(context->plugin_dir, config->plugin, kind, &library, err);

	if (status == PEP_OK && kind == PEP_EXPORTER)
		status = check_use(library, config, err);
	if (status != PEP_OK) {
		(void)place_prefix(err, &config->place);
		return status;
	}
	status = options_read(config, library->options, context->data_dir, &options, err);
	if (status != PEP_OK)
		return status;
	*slot = (struct slot){.library = library, .options = options, .name = strdup(config->name)};
	if (!slot->name || pthread_mutex_init(&slot->mutex, NULL)) {
		free(slot->name);
		options_free(options);
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while opening plugin \"%s\"", config->plugin);
	}
	slot->is_serial = threads_of(library) == PEP_THREADS_SERIAL;
	host_init(&slot->host, slot->name, context->stopping);
	return PEP_OK;
}

void slot_fini(struct slot *slot)
{
	(void)pthread_mutex_destroy(&slot->mutex);
	options_free(slot->options);
	free(slot->name);
}

pthread_mutex_t *slot_lock(struct slot *slot)
{
	return slot->is_serial ? lock_mutex(&slot->mutex) : NULL;
}

pep_status slot_result(const struct slot *slot, pep_status status, pep_status otherwise, struct pep_error *err)
{
	if (status == PEP_OK)
		return PEP_OK;
	if (status < PEP_OK || status > PEP_UNKNOWN) {
		return pep_fail(err, otherwise, 0, "plugin \"%s\" returned the unknown status %d; that is a defect of the plugin",
				slot->name, (int)status);
	}
	if (!err)
		return status;
	err->status = status;
	err->message[sizeof(err->message) - 1] = '\0';
	if (!err->message[0])
		return pep_fail(err, status, err->native, "plugin \"%s\" failed (status %d) without saying why", slot->name,
				(int)status);
	return status;
}

pep_status slot_unsupported(const struct slot *slot, const char *function, struct pep_error *err)
{
	return pep_fail(err, PEP_UNSUPPORTED, 0, "plugin \"%s\" has no %s()", slot->library->plugin.name, function);
}
