/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/slot.h"

/* Both calls have one shape. */
typedef pep_status (*storage_file_call)(const struct pep_host *host, const union pep_value *values, const char *path,
					struct pep_storage_copy *ret_copy, struct pep_error *err);

static pep_status run(struct slot *slot, storage_file_call call, const char *path, struct pep_storage_copy *ret_copy,
		      struct pep_error *err)
{
	struct pep_storage_copy copy = {.struct_size = sizeof(copy)};
	pep_status status;

	if (!call)
		return pep_fail(
			err, PEP_UNSUPPORTED, 0,
			"storage plugin \"%s\" leaves copies of the store to the database's own tools, as pg_dump and pg_restore "
			"of PostgreSQL, mongodump and mongorestore of MongoDB",
			slot->library->plugin.name);
	status = slot_result(slot, call(&slot->host.api, options_values(slot->options), path, &copy, err), PEP_INTERNAL, err);
	if (status != PEP_OK)
		return status;
	copy.kept[sizeof(copy.kept) - 1] = '\0';
	*ret_copy = copy;
	return PEP_OK;
}

pep_status storage_check(const struct instance_context *context, const struct config_instance *config, struct pep_error *err)
{
	struct slot slot;
	pep_status status = slot_init(&slot, context, config, PEP_STORAGE, err);

	if (status == PEP_OK)
		slot_fini(&slot);
	return status;
}

pep_status storage_backup(const struct instance_context *context, const struct config_instance *config, const char *path,
			  struct pep_storage_copy *ret_copy, struct pep_error *err)
{
	struct slot slot;
	pep_status status = slot_init(&slot, context, config, PEP_STORAGE, err);

	if (status != PEP_OK)
		return status;
	status = run(&slot, slot.library->ops.storage.backup, path, ret_copy, err);
	slot_fini(&slot);
	return status;
}

pep_status storage_restore(const struct instance_context *context, const struct config_instance *config, const char *path,
			   struct pep_storage_copy *ret_copy, struct pep_error *err)
{
	struct slot slot;
	pep_status status = slot_init(&slot, context, config, PEP_STORAGE, err);

	if (status != PEP_OK)
		return status;
	status = run(&slot, slot.library->ops.storage.restore, path, ret_copy, err);
	slot_fini(&slot);
	return status;
}
