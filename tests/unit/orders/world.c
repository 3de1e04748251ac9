/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "core/base/cleanup.h"
#include "core/base/identity.h"
#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>

static __thread struct server *self;

struct server *world_self(void)
{
	return self;
}

unsigned world_random(struct world *world, unsigned limit)
{
	/* xorshift64*, Vigna 2016: the same on every machine. */
	world->random ^= world->random >> 12;
	world->random ^= world->random << 25;
	world->random ^= world->random >> 27;
	return (unsigned)((world->random * UINT64_C(2685821657736338717)) >> 33) % limit;
}

int world_number(const char *serial)
{
	return strncmp(serial, "GW-", 3) == 0 && serial[3] >= '0' && serial[3] < '0' + SERIALS && !serial[4] ? serial[3] - '0' : -1;
}

void world_init(struct world *world, uint64_t seed, unsigned faults)
{
	memset(world, 0, sizeof(*world));
	world->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	world->faults_left = faults;
	world->store.now_ms = START_MS;
	world->turn = -1;
	world->is_free = true;
	(void)pthread_mutex_init(&world->mutex, NULL);
	(void)pthread_cond_init(&world->moved, NULL);
	for (unsigned i = 0; i < SERVERS; i++) {
		world->servers[i].world = world;
		world->servers[i].number = i;
	}
}

void world_fini(struct world *world)
{
	arena_fini(&world->store.texts);
	(void)pthread_cond_destroy(&world->moved);
	(void)pthread_mutex_destroy(&world->mutex);
}

/* --- turns --- */

static void give_turn(struct world *world, int to)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&world->mutex);

	(void)lock;
	world->turn = to;
	(void)pthread_cond_broadcast(&world->moved);
}

static void await_turn(struct world *world, int of)
{
	(void)pthread_mutex_lock(&world->mutex);
	while (world->turn != of)
		(void)pthread_cond_wait(&world->moved, &world->mutex);
	(void)pthread_mutex_unlock(&world->mutex);
}

bool world_wait(struct server *server)
{
	if (!server)
		return false;
	give_turn(server->world, -1);
	await_turn(server->world, (int)server->number);
	return server->is_dead;
}

struct life {
	struct server *server;
	void *(*act)(void *server);
};

static void *live(void *context)
{
	struct life life = *(struct life *)context;

	free(context);
	self = life.server;
	await_turn(life.server->world, (int)life.server->number);
	for (; life.server->things_left && !life.server->is_dead; life.server->things_left--)
		(void)life.act(life.server);
	life.server->is_running = false;
	give_turn(life.server->world, -1);
	return NULL;
}

void world_start(struct server *server, unsigned things, void *(*act)(void *server))
{
	struct life *life = malloc(sizeof(*life));

	if (!life)
		abort();
	*life = (struct life){server, act};
	server->things_left = things;
	server->is_dead = false;
	server->is_running = true;
	server->world->is_free = false;
	if (pthread_create(&server->thread, NULL, live, life) != 0)
		abort();
}

void world_kill(struct server *server)
{
	server->is_dead = true;
}

bool world_step(struct world *world)
{
	struct server *running[SERVERS];
	unsigned count = 0;

	for (unsigned i = 0; i < SERVERS; i++)
		if (world->servers[i].is_running)
			running[count++] = &world->servers[i];
	if (!count) {
		world->is_free = true;
		return false;
	}
	running[0] = running[world_random(world, count)];
	give_turn(world, (int)running[0]->number);
	await_turn(world, -1);
	if (!running[0]->is_running)
		(void)pthread_join(running[0]->thread, NULL);
	return true;
}

/* --- the store --- */

struct pep_identity *world_record(struct world *world, const char *serial)
{
	for (size_t i = 0; i < world->store.record_count; i++)
		if (strcmp(world->store.records[i].serial, serial) == 0)
			return &world->store.records[i];
	return NULL;
}

static pep_status away(struct pep_error *err)
{
	return pep_fail(err, PEP_UNAVAILABLE, 0, "the store is away");
}

/* The world that a store is the first member of. */
static struct world *world_of(struct storage *storage)
{
	return (struct world *)(void *)storage;
}

static void keep(struct storage *storage, struct pep_identity *place, const struct pep_identity *id, int64_t revision)
{
	struct pep_identity *copy = identity_copy(&storage->texts, id);

	if (!copy)
		abort();
	*place = *copy;
	place->revision = revision;
}

pep_status storage_insert(struct storage *storage, const struct pep_identity *id, struct pep_error *err)
{
	if (world_wait(self))
		return away(err);
	if (world_record(world_of(storage), id->serial))
		return pep_fail(err, PEP_CONFLICT, 0, "it is there");
	keep(storage, &storage->records[storage->record_count++], id, 1);
	return world_wait(self) ? away(err) : PEP_OK;
}

pep_status storage_update(struct storage *storage, const struct pep_identity *id, struct pep_error *err)
{
	struct pep_identity *place;

	if (world_wait(self))
		return away(err);
	place = world_record(world_of(storage), id->serial);
	if (!place || place->revision != id->revision)
		return pep_fail(err, PEP_CONFLICT, 0, "it has moved");
	keep(storage, place, id, id->revision + 1);
	return world_wait(self) ? away(err) : PEP_OK;
}

pep_status storage_get(struct storage *storage, struct arena *arena, const char *serial, const struct pep_identity **ret_id,
		       struct pep_error *err)
{
	const struct pep_identity *there;

	if (world_wait(self))
		return away(err);
	there = world_record(world_of(storage), serial);
	*ret_id = there ? identity_copy(arena, there) : NULL;
	return PEP_OK;
}

pep_status storage_now(struct storage *storage, int64_t *ret_ms, struct pep_error *err)
{
	(void)err;
	*ret_ms = storage->now_ms;
	return PEP_OK;
}

bool storage_has_notes(const struct storage *storage)
{
	(void)storage;
	return true;
}

const char *storage_name(const struct storage *storage)
{
	(void)storage;
	return "played";
}

pep_status storage_scan_open(struct storage *storage, const struct pep_scan_query *query, struct storage_scan **ret_scan,
			     struct pep_error *err)
{
	(void)storage, (void)query, (void)ret_scan, (void)err;
	abort(); /* for idempotency keys, which these requests do not have */
}

pep_status storage_scan_next(struct storage_scan *scan, const struct pep_identity **ret_id, struct pep_error *err)
{
	(void)scan, (void)ret_id, (void)err;
	abort();
}

void storage_scan_close(struct storage_scan *scan)
{
	(void)scan;
	abort();
}

/* --- its notes --- */

static struct note_kept *find_note(struct storage *storage, const char *name)
{
	for (size_t i = 0; i < storage->note_count; i++)
		if (strcmp(storage->notes[i].name, name) == 0)
			return &storage->notes[i];
	return NULL;
}

static bool apply(struct storage *storage, const char *name, int64_t revision, const char *text)
{
	struct note_kept *note = find_note(storage, name);

	if ((note ? note->revision : 0) != revision)
		return false;
	if (!note) {
		if (storage->note_count == NOTES)
			abort();
		note = &storage->notes[storage->note_count++];
		(void)snprintf(note->name, sizeof(note->name), "%s", name);
	}
	if (snprintf(note->text, sizeof(note->text), "%s", text) >= (int)sizeof(note->text))
		abort();
	note->revision++;
	return true;
}

/* Writes whose answer was lost arrive some time, or never. */
static void deliver_late(struct storage *storage)
{
	struct world *world = world_of(storage);

	for (size_t i = 0; i < LATE; i++) {
		struct late_write *late = &storage->late[i];

		if (!late->is_there || world_random(world, 4) != 0)
			continue;
		(void)apply(storage, late->name, late->revision, late->text);
		late->is_there = false;
	}
}

static void keep_late(struct storage *storage, const char *name, int64_t revision, const char *text)
{
	for (size_t i = 0; i < LATE; i++) {
		struct late_write *late = &storage->late[i];

		if (late->is_there)
			continue;
		late->is_there = true;
		late->revision = revision;
		(void)snprintf(late->name, sizeof(late->name), "%s", name);
		(void)snprintf(late->text, sizeof(late->text), "%s", text);
		return;
	}
}

pep_status storage_note_read(struct storage *storage, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	const struct note_kept *note;

	if (world_wait(self))
		return away(err);
	deliver_late(storage);
	note = find_note(storage, name);
	(void)snprintf(text, PEP_NOTE_SIZE + 1, "%s", note ? note->text : "");
	*ret_revision = note ? note->revision : 0;
	return PEP_OK;
}

pep_status storage_note_write(struct storage *storage, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	struct world *world = world_of(storage);
	unsigned fault;

	if (world_wait(self))
		return away(err);
	deliver_late(storage);
	fault = self && world->faults_left ? world_random(world, 12) : 99;
	if (fault < 3) {
		world->faults_left--;
		if (fault == 0)
			(void)apply(storage, name, revision, text);
		else if (fault == 1)
			keep_late(storage, name, revision, text);
		return pep_fail(err, PEP_UNKNOWN, 0, "the answer was lost");
	}
	if (!apply(storage, name, revision, text))
		return pep_fail(err, PEP_CONFLICT, 0, "the revision has moved");
	return world_wait(self) ? away(err) : PEP_OK;
}

/* --- the spool: on the disk of a server --- */

pep_status spool_put(struct spool *spool, const struct spool_entry *entry, struct pep_error *err)
{
	struct spooled *spooled;

	(void)err;
	/* Of a server that is dead nothing gets onto its disk, whatever its thread still does. */
	if (self->is_dead || spool->count == SPOOLED)
		return pep_fail(err, PEP_INTERNAL, 0, "the disk is away");
	spooled = &spool->entries[spool->count++];
	spooled->attempt = entry->attempt;
	(void)snprintf(spooled->serial, sizeof(spooled->serial), "%s", entry->serial);
	(void)snprintf(spooled->nonce, sizeof(spooled->nonce), "%s", entry->nonce);
	(void)snprintf(spooled->enrollment_id, sizeof(spooled->enrollment_id), "%s", entry->enrollment_id);
	return PEP_OK;
}

pep_status pending_put(struct pending *pending, const struct pending_entry *entry, struct pep_error *err)
{
	(void)pending, (void)entry, (void)err;
	abort();
}

bool pending_settle(struct pending *pending, const char *nonce)
{
	(void)pending, (void)nonce;
	abort();
}

void pending_remove(struct pending *pending, const char *nonce)
{
	(void)pending, (void)nonce;
	abort();
}
