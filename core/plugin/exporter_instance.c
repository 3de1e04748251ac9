/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/slot.h"

#include <stdlib.h>
#include <string.h>

struct exporter {
	struct slot slot;
	const struct pep_exporter_ops *ops;
	void *exporter; /* NULL without open() */
};

struct exporter_run {
	struct exporter *exporter;
	void *run; /* exporter->exporter if it has no runs */
};

pep_status exporter_open(const struct instance_context *context, const struct config_instance *config,
			 struct exporter **ret_exporter, struct pep_error *err)
{
	AUTO(free_ptr) struct exporter *exporter = calloc(1, sizeof(*exporter));
	pep_status status;

	if (!exporter)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while opening exporter \"%s\"", config->name);
	status = slot_init(&exporter->slot, context, config, PEP_EXPORTER, err);
	if (status != PEP_OK)
		return status;
	exporter->ops = &exporter->slot.library->ops.exporter;
	if (exporter->ops->open)
		status = exporter->ops->open(&exporter->slot.host.api, options_values(exporter->slot.options), &exporter->exporter,
					     err);
	if (status != PEP_OK) {
		status = slot_result(&exporter->slot, status, PEP_INTERNAL, err);
		slot_fini(&exporter->slot);
		return status;
	}
	*ret_exporter = TAKE(exporter);
	return PEP_OK;
}

void exporter_close(struct exporter *exporter)
{
	if (!exporter)
		return;
	if (exporter->ops->close)
		exporter->ops->close(exporter->exporter);
	slot_fini(&exporter->slot);
	free(exporter);
}

const char *exporter_name(const struct exporter *exporter)
{
	return exporter->slot.name;
}

const char *exporter_media_type(const struct exporter *exporter)
{
	return exporter->ops->media_type;
}

const char *exporter_suffix(const struct exporter *exporter)
{
	return exporter->ops->suffix;
}

const char *const *exporter_profiles(const struct exporter *exporter)
{
	return exporter->ops->profiles;
}

/* Without either, the run is the exporter itself. */
static bool has_runs(const struct pep_exporter_ops *ops)
{
	return ops->begin_profile || ops->begin;
}

static pep_status begin_raw(struct exporter *exporter, const char *profile, struct pep_sink *sink, void **ret_run,
			    struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(&exporter->slot);

	(void)lock;
	if (exporter->ops->begin_profile)
		return exporter->ops->begin_profile(exporter->exporter, profile, sink, ret_run, err);
	return exporter->ops->begin(exporter->exporter, sink, ret_run, err);
}

pep_status exporter_begin(struct exporter *exporter, const char *profile, struct pep_sink *sink, struct exporter_run **ret_run,
			  struct pep_error *err)
{
	AUTO(free_ptr) struct exporter_run *run = calloc(1, sizeof(*run));
	pep_status status;

	if (!run)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while exporting with \"%s\"", exporter->slot.name);
	run->exporter = exporter;
	run->run = exporter->exporter;
	if (has_runs(exporter->ops)) {
		status = slot_result(&exporter->slot, begin_raw(exporter, profile, sink, &run->run, err), PEP_INTERNAL, err);
		if (status != PEP_OK)
			return status;
	}
	*ret_run = TAKE(run);
	return PEP_OK;
}

pep_status exporter_check(struct exporter_run *run, const struct pep_identity *id, struct pep_error *err)
{
	const struct exporter *exporter = run->exporter;
	AUTO(unlock_mutex) pthread_mutex_t *lock = NULL;

	if (!exporter->ops->check)
		return PEP_UNSUPPORTED;
	lock = slot_lock(&run->exporter->slot);
	return slot_result(&exporter->slot, exporter->ops->check(run->run, id, err), PEP_INTERNAL, err);
}

pep_status exporter_record(struct exporter_run *run, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	const struct exporter *exporter = run->exporter;
	AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(&run->exporter->slot);

	(void)lock;
	return slot_result(&exporter->slot, exporter->ops->record(run->run, sink, id, err), PEP_INTERNAL, err);
}

pep_status exporter_end(struct exporter_run *run, struct pep_sink *sink, struct pep_error *err)
{
	const struct exporter *exporter = run->exporter;
	AUTO(unlock_mutex) pthread_mutex_t *lock = NULL;

	if (!exporter->ops->end)
		return PEP_OK;
	lock = slot_lock(&run->exporter->slot);
	return slot_result(&exporter->slot, exporter->ops->end(run->run, sink, err), PEP_INTERNAL, err);
}

static void drop_raw(struct exporter_run *run)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(&run->exporter->slot);

	(void)lock;
	run->exporter->ops->drop(run->run);
}

void exporter_drop(struct exporter_run *run)
{
	if (!run)
		return;
	/* Else it is the exporter, which close() gives back. */
	if (has_runs(run->exporter->ops) && run->exporter->ops->drop)
		drop_raw(run);
	free(run);
}
