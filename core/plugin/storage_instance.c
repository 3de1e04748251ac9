/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "core/base/identity.h"
#include "core/plugin/slot.h"
#include "core/plugin/widen.h"

#include <stdlib.h>
#include <string.h>

/* Up to where a record reaches in release 1.0. */
#define RECORD_SIZE_LEAST (offsetof(struct pep_identity, history) + sizeof(const char *))

struct storage {
	struct slot slot;
	const struct pep_storage_ops *ops;
	void *store;
};

struct storage_scan {
	struct storage *storage;
	void *scan;
	struct pep_identity record; /* the last one, in our size */
};

pep_status storage_open(const struct instance_context *context, const struct config_instance *config, struct storage **ret_storage,
			struct pep_error *err)
{
	AUTO(free_ptr) struct storage *storage = calloc(1, sizeof(*storage));
	pep_status status;

	if (!storage)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while opening storage \"%s\"", config->name);
	status = slot_init(&storage->slot, context, config, PEP_STORAGE, err);
	if (status != PEP_OK)
		return status;
	storage->ops = &storage->slot.library->ops.storage;
	status = storage->ops->open(&storage->slot.host.api, options_values(storage->slot.options), &storage->store, err);
	if (status != PEP_OK) {
		status = slot_result(&storage->slot, status, PEP_INTERNAL, err);
		slot_fini(&storage->slot);
		return status;
	}
	*ret_storage = TAKE(storage);
	return PEP_OK;
}

void storage_close(struct storage *storage)
{
	if (!storage)
		return;
	storage->ops->close(storage->store);
	slot_fini(&storage->slot);
	free(storage);
}

uint64_t storage_flags(const struct storage *storage)
{
	return storage->ops->flags;
}

const char *storage_name(const struct storage *storage)
{
	return storage->slot.library->plugin.name;
}

pep_status storage_ping(struct storage *storage, struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(&storage->slot);

	(void)lock;
	return slot_result(&storage->slot, storage->ops->ping(storage->store, err), PEP_INTERNAL, err);
}

/* A write that ends in a way nobody can read may have been done: PEP_UNKNOWN, so that the core looks it up. */
pep_status storage_insert(struct storage *storage, const struct pep_identity *id, struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(&storage->slot);

	(void)lock;
	return slot_result(&storage->slot, storage->ops->insert(storage->store, id, err), PEP_UNKNOWN, err);
}

pep_status storage_update(struct storage *storage, const struct pep_identity *id, struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(&storage->slot);

	(void)lock;
	return slot_result(&storage->slot, storage->ops->update(storage->store, id, err), PEP_UNKNOWN, err);
}

static pep_status open_raw(struct storage *storage, const struct pep_scan_query *query, void **ret_scan, struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(&storage->slot);

	(void)lock;
	return slot_result(&storage->slot, storage->ops->scan_open(storage->store, query, ret_scan, err), PEP_INTERNAL, err);
}

/* The next record in our size. *ret_found is false at the end. */
static pep_status next_raw(struct storage *storage, void *scan, struct pep_identity *ret_record, bool *ret_found,
			   struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(&storage->slot);
	const struct pep_identity *theirs = NULL;
	pep_status status = slot_result(&storage->slot, storage->ops->scan_next(scan, &theirs, err), PEP_INTERNAL, err);

	(void)lock;
	if (status != PEP_OK)
		return status;
	*ret_found = false;
	if (!theirs)
		return PEP_OK;
	if (theirs->struct_size < RECORD_SIZE_LEAST || !theirs->serial)
		return pep_fail(err, PEP_INTERNAL, 0, "storage \"%s\" returned a damaged record", storage->slot.name);
	widen(ret_record, sizeof(*ret_record), theirs, theirs->struct_size);
	*ret_found = true;
	return PEP_OK;
}

static void close_raw(struct storage *storage, void *scan)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(&storage->slot);

	(void)lock;
	storage->ops->scan_close(scan);
}

pep_status storage_scan_open(struct storage *storage, const struct pep_scan_query *query, struct storage_scan **ret_scan,
			     struct pep_error *err)
{
	AUTO(free_ptr) struct storage_scan *scan = calloc(1, sizeof(*scan));
	pep_status status;

	if (!scan)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading storage \"%s\"", storage->slot.name);
	scan->storage = storage;
	status = open_raw(storage, query, &scan->scan, err);
	if (status != PEP_OK)
		return status;
	*ret_scan = TAKE(scan);
	return PEP_OK;
}

pep_status storage_scan_next(struct storage_scan *scan, const struct pep_identity **ret_id, struct pep_error *err)
{
	bool is_found;
	pep_status status = next_raw(scan->storage, scan->scan, &scan->record, &is_found, err);

	if (status == PEP_OK)
		*ret_id = is_found ? &scan->record : NULL;
	return status;
}

void storage_scan_close(struct storage_scan *scan)
{
	if (!scan)
		return;
	close_raw(scan->storage, scan->scan);
	free(scan);
}

/* The hot path: a scan of one without an allocation of ours beside the arena's. */
pep_status storage_get(struct storage *storage, struct arena *arena, const char *serial, const struct pep_identity **ret_id,
		       struct pep_error *err)
{
	const struct pep_scan_query query = {.struct_size = sizeof(query), .limit = 1, .serial = serial};
	const struct pep_identity *copy = NULL;
	struct pep_identity record;
	bool is_found = false;
	void *scan;
	pep_status status = open_raw(storage, &query, &scan, err);

	if (status != PEP_OK)
		return status;
	status = next_raw(storage, scan, &record, &is_found, err);
	if (status == PEP_OK && is_found) {
		if (strcmp(record.serial, serial) != 0)
			status = pep_fail(err, PEP_INTERNAL, 0, "storage \"%s\" returned another serial than asked for",
					  storage->slot.name);
		else if (!(copy = identity_copy(arena, &record)))
			status = pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading storage \"%s\"", storage->slot.name);
	}
	close_raw(storage, scan);
	if (status == PEP_OK)
		*ret_id = copy;
	return status;
}

pep_status storage_count(struct storage *storage, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err)
{
	const struct pep_identity *id = NULL;
	struct storage_scan *scan = NULL;
	int64_t count = 0;
	pep_status status;

	if (storage->ops->count) {
		AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(&storage->slot);

		(void)lock;
		return slot_result(&storage->slot, storage->ops->count(storage->store, query, ret_count, err), PEP_INTERNAL, err);
	}
	status = storage_scan_open(storage, query, &scan, err);
	if (status != PEP_OK || !scan)
		return status;
	for (status = storage_scan_next(scan, &id, err); status == PEP_OK && id; status = storage_scan_next(scan, &id, err))
		count++;
	storage_scan_close(scan);
	if (status == PEP_OK)
		*ret_count = count;
	return status;
}

bool storage_has_notes(const struct storage *storage)
{
	return storage->ops->note_read && storage->ops->note_write;
}

pep_status storage_note_read(struct storage *storage, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = NULL;
	pep_status status;

	if (!storage_has_notes(storage))
		return slot_unsupported(&storage->slot, "note_read", err);
	lock = slot_lock(&storage->slot);
	status = storage->ops->note_read(storage->store, name, text, ret_revision, err);
	if (status == PEP_OK && (strnlen(text, PEP_NOTE_SIZE + 1) > PEP_NOTE_SIZE || *ret_revision < 0))
		return pep_fail(err, PEP_INTERNAL, 0, "storage \"%s\" returned a damaged note", storage->slot.name);
	return slot_result(&storage->slot, status, PEP_INTERNAL, err);
}

pep_status storage_note_write(struct storage *storage, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = NULL;

	if (!storage_has_notes(storage))
		return slot_unsupported(&storage->slot, "note_write", err);
	lock = slot_lock(&storage->slot);
	return slot_result(&storage->slot, storage->ops->note_write(storage->store, name, revision, text, err), PEP_UNKNOWN, err);
}

pep_status storage_now(struct storage *storage, int64_t *ret_ms, struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = NULL;

	if (!storage->ops->now) {
		*ret_ms = clock_wall_ms();
		return PEP_OK;
	}
	lock = slot_lock(&storage->slot);
	return slot_result(&storage->slot, storage->ops->now(storage->store, ret_ms, err), PEP_INTERNAL, err);
}
