/* SPDX-License-Identifier: Apache-2.0
 *
 * instance.h - a plugin that is open: typed calls, so that no caller tests a function pointer or a thread model.
 *
 * Missing optional functions answer PEP_UNSUPPORTED. For a PEP_THREADS_SERIAL plugin one call at a time is let through.
 * Every function may be called from any thread unless it says otherwise. A library stays mapped after it was opened once.
 */
#ifndef CORE_PLUGIN_INSTANCE_H
#define CORE_PLUGIN_INSTANCE_H

#include "core/config/config.h"

#include <pep/exporter.h>
#include <pep/injector.h>
#include <pep/storage.h>

#include <stdatomic.h>

/* What instances have in common. `stopping` is what host->stopping() answers; it lives longer than the instance. */
struct instance_context {
	const char *plugin_dir, *data_dir;
	const atomic_bool *stopping;
};

/* --- storage --- */
struct storage;
/* Find, load, check, read the options of, and open the plugin that `config` names. [main thread] */
pep_status storage_open(const struct instance_context *context, const struct config_instance *config, struct storage **ret_storage,
			struct pep_error *err);
void storage_close(struct storage *storage); /* NULL is fine. [main thread, after every other call returned] */
uint64_t storage_flags(const struct storage *storage);
const char *storage_name(const struct storage *storage); /* the plugin's */
pep_status storage_ping(struct storage *storage, struct pep_error *err);
pep_status storage_insert(struct storage *storage, const struct pep_identity *id, struct pep_error *err);
pep_status storage_update(struct storage *storage, const struct pep_identity *id, struct pep_error *err);
struct storage_scan;
pep_status storage_scan_open(struct storage *storage, const struct pep_scan_query *query, struct storage_scan **ret_scan,
			     struct pep_error *err);
pep_status storage_scan_next(struct storage_scan *scan, const struct pep_identity **ret_id, struct pep_error *err);
void storage_scan_close(struct storage_scan *scan); /* NULL is fine */
/* The record of a serial, copied into the arena. *ret_id is NULL and the status PEP_OK if there is none. */
pep_status storage_get(struct storage *storage, struct arena *arena, const char *serial, const struct pep_identity **ret_id,
		       struct pep_error *err);
/* How many records a scan would return; counted by walking if the plugin cannot. */
pep_status storage_count(struct storage *storage, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err);
/* The notes of pep/storage.h: `text` has PEP_NOTE_SIZE + 1 bytes. Without storage_has_notes() both are PEP_UNSUPPORTED. */
bool storage_has_notes(const struct storage *storage);
pep_status storage_note_read(struct storage *storage, const char *name, char *text, int64_t *ret_revision, struct pep_error *err);
pep_status storage_note_write(struct storage *storage, const char *name, int64_t revision, const char *text, struct pep_error *err);
/* The store's clock, or this machine's if it has none. */
pep_status storage_now(struct storage *storage, int64_t *ret_ms, struct pep_error *err);
/* Load the plugin and read its options; opens nothing. [main thread] */
pep_status storage_check(const struct instance_context *context, const struct config_instance *config, struct pep_error *err);
/* A copy of the store in the file `path`, and back, without opening it: the promises are those of pep/storage.h. PEP_UNSUPPORTED: the
 * plugin leaves that to the database's own tools. [main thread] */
pep_status storage_backup(const struct instance_context *context, const struct config_instance *config, const char *path,
			  struct pep_storage_copy *ret_copy, struct pep_error *err);
pep_status storage_restore(const struct instance_context *context, const struct config_instance *config, const char *path,
			   struct pep_storage_copy *ret_copy, struct pep_error *err);

/* --- injector --- */
struct injector;
pep_status injector_open(const struct instance_context *context, const struct config_instance *config,
			 struct injector **ret_injector, struct pep_error *err); /* with self_test */
void injector_close(struct injector *injector);
bool injector_is_opaque(const struct injector *injector);
const char *injector_name(const struct injector *injector);
pep_status injector_inject(struct injector *injector, const struct pep_target *target, const struct pep_identity *id,
			   int64_t timeout_ms, struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err);
pep_status injector_adopt(struct injector *injector, const struct pep_identity *id, int64_t timeout_ms, struct pep_injection *ret,
			  struct pep_error *err);
void injector_forget(struct injector *injector, const struct pep_identity *id);

/* --- exporter --- */
struct exporter;
pep_status exporter_open(const struct instance_context *context, const struct config_instance *config,
			 struct exporter **ret_exporter, struct pep_error *err);
void exporter_close(struct exporter *exporter);
const char *exporter_name(const struct exporter *exporter); /* the instance's */
const char *exporter_media_type(const struct exporter *exporter);
const char *exporter_suffix(const struct exporter *exporter);
/* Its formats, ended by NULL; NULL: there is one, without a name. */
const char *const *exporter_profiles(const struct exporter *exporter);
struct exporter_run;
/* `profile`: one of exporter_profiles(), or NULL: the exporter's own choice. */
pep_status exporter_begin(struct exporter *exporter, const char *profile, struct pep_sink *sink, struct exporter_run **ret_run,
			  struct pep_error *err);
/* PEP_UNSUPPORTED: this run does not look at records before it writes them. */
pep_status exporter_check(struct exporter_run *run, const struct pep_identity *id, struct pep_error *err);
pep_status exporter_record(struct exporter_run *run, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err);
pep_status exporter_end(struct exporter_run *run, struct pep_sink *sink, struct pep_error *err);
/* False: a call never leaves anything, so there is no need to ask. */
bool exporter_has_rest(const struct exporter *exporter);
/* What is left of the last call: see pep/exporter.h. */
pep_status exporter_rest(struct exporter_run *run, struct pep_sink *sink, bool *ret_more, struct pep_error *err);
void exporter_drop(struct exporter_run *run); /* NULL is fine */
/* PEP_UNSUPPORTED: it only writes files. *ret_wait_ms: 0, or how long it wants to be left alone; written whatever is returned. */
pep_status exporter_deliver(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms, struct pep_error *err);

#endif
