/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/check.h"

#include "core/plugin/slot.h"

static pep_status check_one(const struct config *config, const struct config_instance *instance, int32_t kind,
			    struct pep_error *err)
{
	const struct instance_context context = {.plugin_dir = config->plugin_dir, .data_dir = config->data_dir};
	struct slot slot;
	pep_status status = slot_init(&slot, &context, instance, kind, err);

	if (status == PEP_OK)
		slot_fini(&slot);
	return status;
}

pep_status check_plugins(const struct config *config, struct pep_error *err)
{
	pep_status status = check_one(config, &config->storage, PEP_STORAGE, err);

	if (status == PEP_OK)
		status = check_one(config, &config->injector, PEP_INJECTOR, err);
	for (size_t i = 0; i < config->exporter_count && status == PEP_OK; i++)
		status = check_one(config, &config->exporters[i], PEP_EXPORTER, err);
	for (size_t i = 0; i < config->push_count && status == PEP_OK; i++)
		status = check_one(config, &config->pushes[i].instance, PEP_EXPORTER, err);
	return status;
}
