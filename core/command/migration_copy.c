/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/cleanup.h"
#include "core/base/identity.h"
#include "core/command/command.h"
#include "core/command/migration.h"
#include "core/command/store_side.h"
#include "core/command/walk.h"

#include <time.h>

#define THREAD_COUNT 32u  /* a store may write many records for the price of one */
#define PATIENCE_MS 30000 /* for a store that is away */
#define PAUSE_MS 250      /* between two tries */

struct run {
	struct migration *migration;
	pthread_mutex_t mutex; /* for what follows */
	struct walk walk;
	struct canonical_digest digest;
	int64_t copied_count, different_count;
	pep_status status; /* not PEP_OK: the threads end */
	struct pep_error err;
};

static void give_up(struct run *run, pep_status status, const struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&run->mutex);

	(void)lock;
	if (run->status == PEP_OK) {
		run->status = status;
		run->err = *err;
	}
}

/* The next record of the source, copied into the arena; NULL: there is no more to do. */
static const struct pep_identity *take(struct run *run, struct arena *arena)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&run->mutex);
	const struct pep_identity *id = NULL, *own;

	(void)lock;
	if (run->status == PEP_OK)
		run->status = walk_next(&run->walk, &id, &run->err);
	if (run->status == PEP_OK && id)
		run->status = canonical_digest_add(&run->digest, id, &run->err);
	if (run->status != PEP_OK || !id)
		return NULL;
	own = identity_copy(arena, id);
	if (!own)
		run->status = pep_fail(&run->err, PEP_NO_MEMORY, 0, "out of memory");
	return own;
}

static void count_one(struct run *run, bool is_copied, const struct pep_identity *different, const char *why)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&run->mutex);

	(void)lock;
	run->copied_count += is_copied;
	if (!different)
		return;
	run->different_count++;
	if (run->different_count <= MIGRATION_SHOWN_COUNT)
		(void)command_complain(0, "%s is not copied: %s", different->serial, why);
}

/* Is the record there? An insert whose answer was lost shows here, too. */
static pep_status settle(struct run *run, struct arena *arena, const struct pep_identity *id, bool *ret_is_there,
			 struct pep_error *err)
{
	const struct pep_identity *there = NULL;
	pep_status status = storage_get(run->migration->target, arena, id->serial, &there, err);

	if (status == PEP_OK)
		*ret_is_there = there && canonical_equal(id, there);
	if (status == PEP_OK && there && !*ret_is_there)
		return pep_fail(err, PEP_CONFLICT, 0, "--to has another record of this serial");
	return status;
}

static bool is_passing(pep_status status)
{
	return status == PEP_UNAVAILABLE || status == PEP_TIMEOUT || status == PEP_UNKNOWN;
}

/* One try. PEP_CONFLICT: it is not there, and never will be. */
static pep_status put(struct run *run, struct arena *arena, const struct pep_identity *id, bool is_new, struct pep_error *err)
{
	bool is_there = false;
	pep_status status = is_new ? PEP_OK : settle(run, arena, id, &is_there, err);
	struct pep_error ignored = {0};

	if (status != PEP_OK || is_there)
		return status;
	status = storage_insert(run->migration->target, id, err);
	if (status == PEP_OK)
		count_one(run, true, NULL, NULL);
	if (status != PEP_CONFLICT)
		return status;
	/* Ours, from a try whose answer was lost; else the plugin's own words say which other record is in the way. */
	return settle(run, arena, id, &is_there, &ignored) == PEP_OK && is_there ? PEP_OK : PEP_CONFLICT;
}

static void copy_one(struct run *run, struct arena *arena, const struct pep_identity *id)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	bool is_new = run->migration->present_count == 0;
	struct pep_error err = {0};
	pep_status status = put(run, arena, id, is_new, &err);

	for (int waited_ms = 0; is_passing(status) && waited_ms < PATIENCE_MS && !store_stopping(); waited_ms += PAUSE_MS) {
		(void)nanosleep(&pause, NULL);
		status = put(run, arena, id, false, &err);
	}
	if (status == PEP_CONFLICT)
		count_one(run, false, id, err.message);
	else if (status != PEP_OK)
		give_up(run, status, &err);
}

static void *copy_main(void *context)
{
	struct run *run = context;
	bool is_more = true;

	while (is_more) {
		AUTO(arena_fini) struct arena arena = {0};
		const struct pep_identity *id = take(run, &arena);

		is_more = id != NULL;
		if (id)
			copy_one(run, &arena, id);
	}
	return NULL;
}

static void run_threads(struct run *run)
{
	pthread_t threads[THREAD_COUNT];
	unsigned count = 0;

	while (count < THREAD_COUNT && pthread_create(&threads[count], NULL, copy_main, run) == 0)
		count++;
	if (count == 0)
		(void)copy_main(run);
	for (unsigned i = 0; i < count; i++)
		(void)pthread_join(threads[i], NULL);
}

int migration_copy(struct migration *migration)
{
	struct run run = {.migration = migration};
	pep_status status;

	(void)pthread_mutex_init(&run.mutex, NULL);
	canonical_digest_init(&run.digest);
	status = walk_begin(&run.walk, migration->source, "copying", migration->source_count, &run.err);
	if (status == PEP_OK)
		run_threads(&run);
	else
		run.status = status;
	walk_end(&run.walk);
	(void)pthread_mutex_destroy(&run.mutex);
	migration->copied_count = run.copied_count;
	canonical_digest_end(&run.digest, migration->digest);
	if (run.status == PEP_CANCELLED && store_stopping())
		return command_complain(COMMAND_FAILED, "%s", run.err.message);
	if (run.status != PEP_OK)
		return command_complain(COMMAND_FAILED,
					"%lld records were copied, then: %s; run the same command again, it goes on from there",
					(long long)run.copied_count, run.err.message);
	if (run.different_count > 0)
		return command_complain(COMMAND_DIFFERENT, "%lld records could not be copied; nothing was overwritten",
					(long long)run.different_count);
	return COMMAND_DONE;
}
