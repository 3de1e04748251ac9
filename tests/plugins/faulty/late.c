/* SPDX-License-Identifier: Apache-2.0 */
#include "late.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/identity.h"

#include <stdlib.h>
#include <time.h>

struct late_write {
	struct late_write *next;
	struct inner *inner;
	struct arena arena;
	const struct pep_identity *id;
	bool is_insert;
	int64_t delay_ms;
	pthread_t thread;
};

static void *make(void *arg)
{
	struct late_write *write = arg;
	const struct timespec delay = {write->delay_ms / 1000, write->delay_ms % 1000 * 1000000};
	const struct pep_storage_ops *ops = &write->inner->ops;
	struct pep_error ignored = {0};

	(void)nanosleep(&delay, NULL);
	(void)(write->is_insert ? ops->insert : ops->update)(write->inner->store, write->id, &ignored);
	return NULL;
}

bool late_begin(struct late_writes *writes, struct inner *inner, bool is_insert, const struct pep_identity *id, int64_t delay_ms)
{
	struct late_write *write = calloc(1, sizeof(*write));
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&writes->mutex);

	(void)lock;
	if (!write)
		return false;
	write->inner = inner;
	write->is_insert = is_insert;
	write->delay_ms = delay_ms;
	write->id = identity_copy(&write->arena, id);
	if (!write->id || pthread_create(&write->thread, NULL, make, write) != 0) {
		arena_fini(&write->arena);
		free(write);
		return false;
	}
	write->next = writes->first;
	writes->first = write;
	return true;
}

void late_finish(struct late_writes *writes)
{
	while (writes->first) {
		struct late_write *write = writes->first;

		(void)pthread_join(write->thread, NULL);
		writes->first = write->next;
		arena_fini(&write->arena);
		free(write);
	}
}
