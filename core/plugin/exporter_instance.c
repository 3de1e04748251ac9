/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"
#include "core/plugin/slot.h"

#include <stdlib.h>
#include <string.h>

struct exporter {
	struct slot slot;
	const struct pep_exporter_ops *ops;
	void *exporter; /* NULL without open() */
	const char *media_type, *suffix;
};

struct exporter_run {
	struct exporter *exporter;
	void *run; /* exporter->exporter if it has no runs */
};

/* The plugin's own texts, or those that this instance gives: they go into a header, and into the name of a file. */
static pep_status describe(struct exporter *exporter, struct pep_error *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
	size_t suffix_size;

	exporter->media_type = exporter->ops->media_type;
	exporter->suffix = exporter->ops->suffix;
	if (!exporter->ops->describe)
		return PEP_OK;
	exporter->ops->describe(exporter->exporter, &exporter->media_type, &exporter->suffix);
	suffix_size = exporter->suffix ? strnlen(exporter->suffix, 17) : 0;
	if (exporter->media_type && *exporter->media_type &&
	    text_is_printable(exporter->media_type, strnlen(exporter->media_type, 129)) &&
	    strnlen(exporter->media_type, 129) <= 128 && suffix_size >= 1 && suffix_size <= 16 &&
	    strspn(exporter->suffix, letters) == suffix_size)
		return PEP_OK;
	return pep_fail(err, PEP_INVALID, 0, "exporter \"%s\" gives no media type or no suffix, or one that is not allowed",
			exporter->slot.name);
}

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
	status = describe(exporter, err);
	if (status != PEP_OK) {
		exporter_close(TAKE(exporter));
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
	return exporter->media_type;
}

const char *exporter_suffix(const struct exporter *exporter)
{
	return exporter->suffix;
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

bool exporter_has_rest(const struct exporter *exporter)
{
	return exporter->ops->rest;
}

pep_status exporter_rest(struct exporter_run *run, struct pep_sink *sink, bool *ret_more, struct pep_error *err)
{
	const struct exporter *exporter = run->exporter;
	AUTO(unlock_mutex) pthread_mutex_t *lock = NULL;

	*ret_more = false;
	if (!exporter->ops->rest)
		return PEP_OK;
	lock = slot_lock(&run->exporter->slot);
	return slot_result(&exporter->slot, exporter->ops->rest(run->run, sink, ret_more, err), PEP_INTERNAL, err);
}

pep_status exporter_deliver(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms, struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = NULL;

	*ret_wait_ms = 0;
	if (!exporter->ops->deliver)
		return slot_unsupported(&exporter->slot, "deliver", err);
	lock = slot_lock(&exporter->slot);
	return slot_result(&exporter->slot, exporter->ops->deliver(exporter->exporter, id, ret_wait_ms, err), PEP_INTERNAL, err);
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
