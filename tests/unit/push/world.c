/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/service/dispatch.h"

#include <unistd.h>

int64_t world_now_ms;

int64_t clock_wall_ms(void)
{
	return world_now_ms;
}

int64_t clock_boot_ms(void)
{
	return world_now_ms - WORLD_START_MS + 1;
}

/* --- the store --- */

struct storage_scan {
	struct storage *store;
	struct pep_scan_query query;
	char after[25], serial[16];
	struct pep_identity id;
	struct world_record record;
	int64_t taken;
};

uint64_t storage_flags(const struct storage *storage)
{
	return storage->flags;
}

const char *storage_name(const struct storage *storage)
{
	(void)storage;
	return "fake";
}

static pep_status away(const struct storage *storage, struct pep_error *err)
{
	return storage->is_away ? pep_fail(err, PEP_UNAVAILABLE, 0, "the fake store is away") : PEP_OK;
}

pep_status storage_now(struct storage *storage, int64_t *ret_ms, struct pep_error *err)
{
	*ret_ms = world_now_ms;
	return away(storage, err);
}

pep_status storage_scan_open(struct storage *storage, const struct pep_scan_query *query, struct storage_scan **ret_scan,
			     struct pep_error *err)
{
	struct storage_scan *scan;

	if (storage->is_away)
		return away(storage, err);
	scan = calloc(1, sizeof(*scan));
	assert_non_null(scan);
	scan->store = storage;
	scan->query = *query;
	if (query->after)
		(void)snprintf(scan->after, sizeof(scan->after), "%s", query->after);
	storage->open_scans++;
	*ret_scan = scan;
	return PEP_OK;
}

/* The walk is by dispatch id; records without one are met by their number, behind. */
static const struct world_record *next_of(const struct storage_scan *scan)
{
	const struct world_record *best = NULL;

	for (size_t i = 0; i < scan->store->record_count; i++) {
		const struct world_record *record = &scan->store->records[i];

		if (scan->query.lease_before_ms) {
			if ((int64_t)i >= scan->taken && record->lease_until_ms > 0)
				return record;
			continue;
		}
		if (!*record->dispatch_id || (scan->query.state && record->state != scan->query.state))
			continue;
		if (scan->query.descending) {
			if (!best || strcmp(record->dispatch_id, best->dispatch_id) > 0)
				best = record;
		} else if (strcmp(record->dispatch_id, scan->after) > 0 &&
			   (!best || strcmp(record->dispatch_id, best->dispatch_id) < 0)) {
			best = record;
		}
	}
	return best;
}

static void fill(const struct world_record *record, struct pep_identity *id)
{
	*id = (struct pep_identity){.struct_size = sizeof(*id),
				    .state = record->state,
				    .revision = 7,
				    .lease_until_ms = record->lease_until_ms,
				    .serial = record->serial,
				    .dispatch_id = *record->dispatch_id ? record->dispatch_id : NULL,
				    .enrollment_id = "A-00",
				    .verification_key = "not for you",
				    .nonce = "not for you",
				    .owner = "not for you",
				    .history = "[]"};
}

pep_status storage_scan_next(struct storage_scan *scan, const struct pep_identity **ret_id, struct pep_error *err)
{
	const struct world_record *record = next_of(scan);

	*ret_id = NULL;
	if (scan->store->is_away)
		return away(scan->store, err);
	if (!record || (scan->query.limit && scan->taken >= scan->query.limit))
		return PEP_OK;
	scan->record = *record;
	scan->taken = scan->query.lease_before_ms ? record - scan->store->records + 1 : scan->taken + 1;
	(void)snprintf(scan->after, sizeof(scan->after), "%s", record->dispatch_id);
	fill(&scan->record, &scan->id);
	*ret_id = &scan->id;
	return PEP_OK;
}

void storage_scan_close(struct storage_scan *scan)
{
	scan->store->open_scans--;
	free(scan);
}

pep_status storage_count(struct storage *storage, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err)
{
	struct storage_scan *scan = NULL;
	const struct pep_identity *id = NULL;
	int64_t count = 0;
	pep_status status = storage_scan_open(storage, query, &scan, err);

	if (status != PEP_OK || !scan)
		return status;
	while (storage_scan_next(scan, &id, err) == PEP_OK && id)
		count++;
	storage_scan_close(scan);
	*ret_count = count;
	return PEP_OK;
}

pep_status storage_get(struct storage *storage, struct arena *arena, const char *serial, const struct pep_identity **ret_id,
		       struct pep_error *err)
{
	*ret_id = NULL;
	for (size_t i = 0; i < storage->record_count; i++) {
		struct pep_identity *id;

		if (strcmp(storage->records[i].serial, serial) != 0)
			continue;
		id = arena_alloc(arena, sizeof(*id));
		assert_non_null(id);
		fill(&storage->records[i], id);
		*ret_id = id;
	}
	return away(storage, err);
}

bool storage_has_notes(const struct storage *storage)
{
	return storage->has_notes;
}

pep_status storage_note_read(struct storage *storage, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	assert_string_equal(name, "push.mes");
	memcpy(text, storage->note, sizeof(storage->note));
	*ret_revision = storage->note_revision;
	return away(storage, err);
}

pep_status storage_note_write(struct storage *storage, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	enum write_fault fault = storage->write_fault;

	assert_string_equal(name, "push.mes");
	assert_true(strlen(text) <= PEP_NOTE_SIZE);
	storage->write_fault = WRITE_WELL;
	storage->note_writes++;
	if (storage->is_away || fault == WRITE_AWAY)
		return pep_fail(err, PEP_UNAVAILABLE, 0, "the fake store is away");
	if (revision != storage->note_revision)
		return pep_fail(err, PEP_CONFLICT, 0, "another revision");
	if (fault != WRITE_UNKNOWN_NOT) {
		(void)snprintf(storage->note, sizeof(storage->note), "%s", text);
		storage->note_revision++;
	}
	return fault == WRITE_WELL ? PEP_OK : pep_fail(err, PEP_UNKNOWN, 0, "the answer was lost");
}

/* --- the exporter --- */

const char *exporter_name(const struct exporter *exporter)
{
	(void)exporter;
	return "fake";
}

pep_status exporter_deliver(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms, struct pep_error *err)
{
	pep_status status;

	assert_int_equal(id->state, PEP_DEPLOYED);
	/* What no exporter may see. */
	assert_null(id->verification_key);
	assert_null(id->nonce);
	assert_null(id->owner);
	assert_null(id->history);
	assert_int_equal(id->revision, 0);
	*ret_wait_ms = 0;
	exporter->calls++;
	(void)snprintf(exporter->last, sizeof(exporter->last), "%s", id->serial);
	status = exporter->answer ? exporter->answer(exporter, id, ret_wait_ms) : PEP_OK;
	if (status != PEP_OK)
		return pep_fail(err, status, 0, "the fake exporter says %d", (int)status);
	assert_true(exporter->told_count < WORLD_TOLD);
	(void)snprintf(exporter->told[exporter->told_count++], 25, "%s", id->dispatch_id);
	return PEP_OK;
}

/* --- the world --- */

struct world *world_new(void)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	log_setup(-1, LOG_FORMAT_LOGFMT);
	world_now_ms = WORLD_START_MS;
	world->store.has_notes = true;
	atomic_init(&world->stopping, false);
	(void)snprintf(world->data_dir, sizeof(world->data_dir), "/tmp/pep-push-XXXXXX");
	return world;
}

void world_free(struct world *world)
{
	assert_int_equal(world->store.open_scans, 0);
	free(world);
}

struct subscriber_setup world_setup(struct world *world, const char *owner)
{
	return (struct subscriber_setup){.name = "mes",
					 .exporter = &world->exporter,
					 .storage = &world->store,
					 .data_dir = world->data_dir,
					 .owner = owner,
					 .lease_ms = WORLD_LEASE_MS,
					 .interval_ms = 5000,
					 .attempts = 3,
					 .from_beginning = true,
					 .retry_ms = 1000,
					 .retry_longest_ms = 300000,
					 .stopping = &world->stopping};
}

struct subscriber *world_subscriber(const struct subscriber_setup *setup)
{
	struct subscriber *subscriber = NULL;
	struct pep_error err = {0};

	if (subscriber_new(setup, &subscriber, &err) != PEP_OK)
		fail_msg("%s", err.message);
	return subscriber;
}

unsigned world_run(struct subscriber *subscriber, int64_t for_ms)
{
	int64_t end_ms = world_now_ms + for_ms;
	unsigned turns = 0;

	for (;;) {
		bool is_patient;
		int64_t wait_ms = subscriber_turn(subscriber, &is_patient);

		turns++;
		assert_in_range(wait_ms, 0, 1000);
		if (wait_ms && world_now_ms + wait_ms > end_ms)
			break;
		world_now_ms += wait_ms;
		assert_true(turns < 1000000);
	}
	if (world_now_ms < end_ms)
		world_now_ms = end_ms;
	return turns;
}

void world_id(int64_t at_ms, unsigned number, char ret_id[25])
{
	char tail[11];

	dispatch_floor(at_ms, ret_id);
	(void)snprintf(tail, sizeof(tail), "%010u", number);
	memcpy(ret_id + 14, tail, 10);
}

void world_deploy(struct world *world, const char *serial, int64_t at_ms)
{
	struct world_record *record = &world->store.records[world->store.record_count];

	assert_true(world->store.record_count < WORLD_RECORDS);
	*record = (struct world_record){.state = PEP_DEPLOYED};
	(void)snprintf(record->serial, sizeof(record->serial), "%s", serial);
	world_id(at_ms, (unsigned)world->store.record_count, record->dispatch_id);
	world->store.record_count++;
}

void world_deploy_many(struct world *world, const char *prefix, unsigned count)
{
	char serial[16];

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(serial, sizeof(serial), "%s%u", prefix, i);
		world_deploy(world, serial, world_now_ms);
	}
}

struct world_record *world_find(struct world *world, const char *serial)
{
	for (size_t i = 0; i < world->store.record_count; i++)
		if (strcmp(world->store.records[i].serial, serial) == 0)
			return &world->store.records[i];
	fail_msg("no %s", serial);
	return NULL;
}

unsigned world_times(const struct world *world, const char *serial)
{
	unsigned times = 0;

	for (size_t i = 0; i < world->store.record_count; i++)
		if (strcmp(world->store.records[i].serial, serial) == 0)
			for (size_t j = 0; j < world->exporter.told_count; j++)
				times += strcmp(world->exporter.told[j], world->store.records[i].dispatch_id) == 0;
	return times;
}

void world_expect_state(const struct subscriber *subscriber, enum subscriber_state state)
{
	assert_int_equal(subscriber_report(subscriber)->state, state);
}
