/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_store.h"

#include "core/base/cleanup.h"
#include "core/base/identity.h"
#include "core/base/text.h"

#include <string.h>

/* The texts of a record are its last members. */
#define RECORD_TEXTS ((sizeof(struct pep_identity) - offsetof(struct pep_identity, serial)) / sizeof(const char *))

struct storage_scan {
	struct storage *store;
	struct pep_identity found[STORE_RECORDS];
	size_t count, next;
};

void fake_store_init(struct storage *store)
{
	memset(store, 0, sizeof(*store));
	store->now_ms = STORE_START_MS;
	(void)pthread_mutex_init(&store->mutex, NULL);
}

void fake_store_fini(struct storage *store)
{
	(void)pthread_mutex_destroy(&store->mutex);
}

static void add_script(struct storage *store, const struct store_script *script)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&store->mutex);

	(void)lock;
	if (store->script_count == STORE_FAULTS)
		abort();
	store->scripts[store->script_count] = *script;
	if (script->nth)
		store->scripts[store->script_count].nth = store->calls[script->call] + script->nth;
	store->script_count++;
}

void fake_store_script(struct storage *store, enum store_call call, unsigned nth, enum store_fault fault)
{
	add_script(store, &(struct store_script){.call = call, .nth = nth, .fault = fault});
}

void fake_store_meanwhile(struct storage *store, enum store_call call, unsigned nth,
			  void (*before)(struct storage *store, void *context), void *context)
{
	add_script(store, &(struct store_script){.call = call, .nth = nth, .before = before, .context = context});
}

void fake_store_away(struct storage *store)
{
	for (enum store_call call = 0; call < STORE_CALLS; call++)
		fake_store_script(store, call, 0, STORE_AWAY);
}

void fake_store_heal(struct storage *store)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&store->mutex);

	(void)lock;
	store->script_count = 0;
}

static struct pep_identity *find(struct storage *store, const char *serial)
{
	for (size_t i = 0; i < store->record_count; i++)
		if (strcmp(store->records[i].serial, serial) == 0)
			return &store->records[i];
	return NULL;
}

/* Would two records have one id? */
static bool is_taken(const struct storage *store, const struct pep_identity *id)
{
	for (size_t i = 0; i < store->record_count; i++) {
		const struct pep_identity *other = &store->records[i];

		if (strcmp(other->serial, id->serial) == 0)
			continue;
		if ((id->enrollment_id && text_equal(other->enrollment_id, id->enrollment_id)) ||
		    (id->dispatch_id && text_equal(other->dispatch_id, id->dispatch_id)))
			return true;
	}
	return false;
}

static const char *keep_text(struct storage *store, const char *text)
{
	char *copy = store->texts + store->texts_size;
	size_t size = text ? strlen(text) + 1 : 0;

	if (!text)
		return NULL;
	if (size > sizeof(store->texts) - store->texts_size)
		abort();
	memcpy(copy, text, size);
	store->texts_size += size;
	return copy;
}

static void keep(struct storage *store, struct pep_identity *place, const struct pep_identity *id, int64_t revision)
{
	const char **texts = &place->serial;

	*place = *id;
	place->revision = revision;
	for (size_t i = 0; i < RECORD_TEXTS; i++)
		texts[i] = keep_text(store, texts[i]);
}

static bool apply_insert(struct storage *store, const struct pep_identity *id)
{
	if (find(store, id->serial) || is_taken(store, id))
		return false;
	if (store->record_count == STORE_RECORDS)
		abort();
	keep(store, &store->records[store->record_count++], id, 1);
	return true;
}

static bool apply_update(struct storage *store, const struct pep_identity *id)
{
	struct pep_identity *place = find(store, id->serial);

	if (!place || place->revision != id->revision || is_taken(store, id))
		return false;
	keep(store, place, id, id->revision + 1);
	return true;
}

static bool apply(struct storage *store, enum store_call call, const struct pep_identity *id)
{
	return call == STORE_INSERT ? apply_insert(store, id) : apply_update(store, id);
}

bool fake_store_settle(struct storage *store)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&store->mutex);
	bool is_applied = false;

	(void)lock;
	if (store->late.serial)
		is_applied = apply(store, store->late.revision ? STORE_UPDATE : STORE_INSERT, &store->late);
	store->late.serial = NULL;
	return is_applied;
}

const struct pep_identity *fake_store_record(struct storage *store, const char *serial)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&store->mutex);

	(void)lock;
	return find(store, serial);
}

void fake_store_put(struct storage *store, const struct pep_identity *id)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&store->mutex);
	struct pep_identity *place = find(store, id->serial);

	(void)lock;
	if (!place && store->record_count == STORE_RECORDS)
		abort();
	if (!place)
		place = &store->records[store->record_count++];
	keep(store, place, id, id->revision > 0 ? id->revision : 1);
}

/* Counts the call and runs what somebody else does before it. The mutex must not be held. */
static enum store_fault begin(struct storage *store, enum store_call call)
{
	struct store_script script = {.fault = STORE_OK};

	{
		AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&store->mutex);

		(void)lock;
		store->calls[call]++;
		for (size_t i = 0; i < store->script_count; i++)
			if (store->scripts[i].call == call &&
			    (!store->scripts[i].nth || store->scripts[i].nth == store->calls[call]))
				script = store->scripts[i];
	}
	if (script.before)
		script.before(store, script.context);
	return script.fault;
}

static pep_status fail(enum store_fault fault, struct pep_error *err)
{
	switch (fault) {
	case STORE_AWAY:
		return pep_fail(err, PEP_UNAVAILABLE, 0, "the fake store is away");
	case STORE_TIMEOUT_NOW:
		return pep_fail(err, PEP_TIMEOUT, 0, "the fake store took too long");
	case STORE_BROKEN:
		return pep_fail(err, PEP_INTERNAL, 0, "the fake store is broken");
	case STORE_NO_MEMORY:
		return pep_fail(err, PEP_NO_MEMORY, 0, "the fake store has no memory");
	case STORE_OK:
		return PEP_OK;
	case STORE_UNKNOWN_NOW:
	case STORE_UNKNOWN_LATER:
	case STORE_UNKNOWN_NEVER:
	default:
		return pep_fail(err, PEP_UNKNOWN, 0, "the answer of the fake store was lost");
	}
}

static pep_status write_record(struct storage *store, enum store_call call, const struct pep_identity *id, struct pep_error *err)
{
	enum store_fault fault = begin(store, call);
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&store->mutex);

	(void)lock;
	if (fault == STORE_UNKNOWN_NOW || fault == STORE_TIMEOUT_NOW)
		(void)apply(store, call, id);
	else if (fault == STORE_UNKNOWN_LATER)
		keep(store, &store->late, id, id->revision);
	if (fault != STORE_OK)
		return fail(fault, err);
	return apply(store, call, id) ? PEP_OK : pep_fail(err, PEP_CONFLICT, 0, "the fake store has it otherwise");
}

pep_status storage_insert(struct storage *storage, const struct pep_identity *id, struct pep_error *err)
{
	return write_record(storage, STORE_INSERT, id, err);
}

pep_status storage_update(struct storage *storage, const struct pep_identity *id, struct pep_error *err)
{
	return write_record(storage, STORE_UPDATE, id, err);
}

pep_status storage_get(struct storage *storage, struct arena *arena, const char *serial, const struct pep_identity **ret_id,
		       struct pep_error *err)
{
	enum store_fault fault = begin(storage, STORE_GET);
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&storage->mutex);
	const struct pep_identity *there = find(storage, serial);
	const struct pep_identity *copy = NULL;

	(void)lock;
	if (fault != STORE_OK)
		return fail(fault, err);
	if (there && !(copy = identity_copy(arena, there)))
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	*ret_id = copy;
	return PEP_OK;
}

pep_status storage_now(struct storage *storage, int64_t *ret_ms, struct pep_error *err)
{
	enum store_fault fault = begin(storage, STORE_NOW);
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&storage->mutex);

	(void)lock;
	if (fault == STORE_OK)
		*ret_ms = storage->now_ms;
	return fail(fault, err);
}

uint64_t storage_flags(const struct storage *storage)
{
	(void)storage;
	return 0;
}

pep_status storage_ping(struct storage *storage, struct pep_error *err)
{
	return fail(begin(storage, STORE_PING), err);
}

/* --- walks --- */

/* As pep/storage.h orders them: by dispatch id, then those without one by serial. */
static int compare(const void *left, const void *right)
{
	const struct pep_identity *a = left;
	const struct pep_identity *b = right;

	if (a->dispatch_id && b->dispatch_id)
		return strcmp(a->dispatch_id, b->dispatch_id);
	if (a->dispatch_id || b->dispatch_id)
		return a->dispatch_id ? -1 : 1;
	return strcmp(a->serial, b->serial);
}

static bool is_wanted(const struct pep_scan_query *query, const struct pep_identity *id)
{
	int side = 1;

	if (query->after) {
		side = id->dispatch_id ? strcmp(id->dispatch_id, query->after) : 1;
		if (query->descending)
			side = -side;
	}
	return side > 0 && (!query->state || id->state == query->state) &&
	       (!query->serial || strcmp(id->serial, query->serial) == 0) &&
	       (!query->idempotency_key || text_equal(id->idempotency_key, query->idempotency_key)) &&
	       (!query->lease_before_ms || (id->lease_until_ms > 0 && id->lease_until_ms < query->lease_before_ms));
}

static void select_records(struct storage_scan *scan, const struct pep_scan_query *query)
{
	struct storage *store = scan->store;
	struct pep_identity sorted[STORE_RECORDS];
	size_t count = store->record_count;

	memcpy(sorted, store->records, count * sizeof(sorted[0]));
	qsort(sorted, count, sizeof(sorted[0]), compare);
	for (size_t i = 0; i < count; i++) {
		const struct pep_identity *id = &sorted[query->descending ? count - 1 - i : i];

		if (is_wanted(query, id) && (!query->limit || scan->count < query->limit))
			scan->found[scan->count++] = *id;
	}
}

pep_status storage_scan_open(struct storage *storage, const struct pep_scan_query *query, struct storage_scan **ret_scan,
			     struct pep_error *err)
{
	enum store_fault fault = begin(storage, STORE_SCAN_OPEN);
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&storage->mutex);
	struct storage_scan *scan;

	(void)lock;
	if (fault != STORE_OK)
		return fail(fault, err);
	scan = calloc(1, sizeof(*scan));
	if (!scan)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	scan->store = storage;
	storage->last_query = *query;
	storage->open_scans++;
	select_records(scan, query);
	*ret_scan = scan;
	return PEP_OK;
}

pep_status storage_scan_next(struct storage_scan *scan, const struct pep_identity **ret_id, struct pep_error *err)
{
	enum store_fault fault = begin(scan->store, STORE_SCAN_NEXT);

	if (fault == STORE_OK)
		*ret_id = scan->next < scan->count ? &scan->found[scan->next++] : NULL;
	return fail(fault, err);
}

void storage_scan_close(struct storage_scan *scan)
{
	struct storage *store = scan ? scan->store : NULL;

	if (!scan)
		return;
	free(scan);
	{
		AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&store->mutex);

		(void)lock;
		store->open_scans--;
	}
}
