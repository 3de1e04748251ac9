/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/gate.h"

#include "core/base/cleanup.h"

#include <time.h>

bool gate_init(struct gate *gate)
{
	pthread_condattr_t attributes;
	bool is_made;

	if (pthread_condattr_init(&attributes))
		return false;
	/* A clock that nobody sets. */
	is_made =
		pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(&gate->is_free, &attributes) == 0;
	(void)pthread_condattr_destroy(&attributes);
	if (!is_made)
		return false;
	gate->is_taken = false;
	if (pthread_mutex_init(&gate->mutex, NULL) == 0)
		return true;
	(void)pthread_cond_destroy(&gate->is_free);
	return false;
}

void gate_fini(struct gate *gate)
{
	(void)pthread_cond_destroy(&gate->is_free);
	(void)pthread_mutex_destroy(&gate->mutex);
}

static struct timespec after(int64_t timeout_ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout_ms / 1000);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

bool gate_enter(struct gate *gate, int64_t timeout_ms)
{
	const struct timespec until = after(timeout_ms < 0 ? 0 : timeout_ms);
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&gate->mutex);

	while (gate->is_taken) {
		if (timeout_ms < 0)
			(void)pthread_cond_wait(&gate->is_free, lock);
		else if (pthread_cond_timedwait(&gate->is_free, lock, &until) && gate->is_taken)
			return false;
	}
	gate->is_taken = true;
	return true;
}

void gate_leave(struct gate *gate)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&gate->mutex);

	(void)lock;
	gate->is_taken = false;
	(void)pthread_cond_signal(&gate->is_free);
}
