/* SPDX-License-Identifier: Apache-2.0 */
#include "sqlite_world.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static const union pep_value *values_of(void *ctx, unsigned number)
{
	struct sqlite_world *world = ctx;

	(void)number;
	sqlite_place_values(world->path, world->values);
	return world->values;
}

struct sqlite_world *sqlite_world_new(const char *path)
{
	struct sqlite_world *world = calloc(1, sizeof(*world));

	if (!world)
		abort();
	if (path) {
		(void)snprintf(world->path, sizeof(world->path), "%s", path);
	} else {
		sqlite_place_init(world->folder);
		(void)snprintf(world->path, sizeof(world->path), "%s/pep.db", world->folder);
	}
	world->facts = (struct storage_facts){.file = PEP_TEST_PLUGIN_DIR "/sqlite.so", .values = values_of, .ctx = world};
	store_open(&world->driver, &world->facts, 0);
	return world;
}

void sqlite_world_free(struct sqlite_world *world)
{
	store_close(&world->driver);
	if (*world->folder)
		sqlite_place_fini(world->folder);
	free(world);
}

pep_status sqlite_world_write(struct store_driver *driver, const char *serial, int64_t revision, const char *history)
{
	const struct pep_identity id = {.struct_size = sizeof(id),
					.state = PEP_CLAIMED,
					.revision = revision,
					.attempt = (uint32_t)revision + 1,
					.serial = serial,
					.history = history};

	return revision ? store_update(driver, &id) : store_insert(driver, &id);
}

int64_t sqlite_world_revision(struct store_driver *driver, const char *serial)
{
	struct arena arena = {0};
	const struct pep_identity *id = store_get(driver, &arena, serial);
	int64_t revision = id ? id->revision : 0;

	arena_fini(&arena);
	return revision;
}

struct writer {
	struct sqlite_writers *all;
	unsigned number;
	pthread_t thread;
};

static void report(const struct sqlite_writers *all, unsigned serial, int32_t revision)
{
	const struct sqlite_promise promise = {serial, revision};

	if (all->report >= 0 && write(all->report, &promise, sizeof(promise)) != (ssize_t)sizeof(promise))
		abort();
}

/* A life of three revisions for each serial of its own. */
static void *write_lives(void *arg)
{
	struct writer *writer = arg;
	struct sqlite_writers *all = writer->all;

	for (unsigned i = 0; i < all->insert_count; i++) {
		unsigned number = i * SQLITE_WRITER_COUNT + writer->number;
		char serial[32];

		(void)snprintf(serial, sizeof(serial), "GW-%06u", number);
		for (int32_t revision = 0; revision < 3; revision++) {
			if (sqlite_world_write(all->driver, serial, revision, all->history) == PEP_OK)
				report(all, number, revision + 1);
			else
				all->failed++;
		}
	}
	return NULL;
}

void sqlite_writers_run(struct sqlite_writers *all)
{
	struct writer writers[SQLITE_WRITER_COUNT];

	for (unsigned i = 0; i < SQLITE_WRITER_COUNT; i++) {
		writers[i] = (struct writer){.all = all, .number = i};
		if (pthread_create(&writers[i].thread, NULL, write_lives, &writers[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < SQLITE_WRITER_COUNT; i++)
		(void)pthread_join(writers[i].thread, NULL);
}
