/* SPDX-License-Identifier: Apache-2.0 */
#include "core/watchdog.h"

#include "core/base/cleanup.h"
#include "core/base/log.h"
#include "core/base/notify.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

struct watchdog {
	watchdog_look *look;
	void *context;
	int64_t interval_ms;
	pthread_t thread;
	pthread_mutex_t mutex; /* held during a look */
	pthread_cond_t wake;
	bool relaxed, stop;
};

static struct timespec time_after(int64_t ms)
{
	struct timespec then = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &then);
	then.tv_sec += ms / 1000;
	then.tv_nsec += ms % 1000 * 1000000;
	if (then.tv_nsec >= 1000000000) {
		then.tv_sec++;
		then.tv_nsec -= 1000000000;
	}
	return then;
}

static void look_and_tell(const struct watchdog *watchdog, bool *is_bad)
{
	const char *fault = watchdog->relaxed ? NULL : watchdog->look(watchdog->context);

	if (!fault)
		notify_send("WATCHDOG=1");
	if (fault && !*is_bad)
		log_event(LOG_ERR, "a part of the server does not do its work; the watchdog is not told that all is well",
			  LOG_TEXT("part", fault));
	if (!fault && *is_bad)
		log_fields(LOG_NOTICE, "all parts of the server do their work again", NULL);
	*is_bad = fault != NULL;
}

static void *run(void *context)
{
	struct watchdog *watchdog = context;
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&watchdog->mutex);
	bool is_bad = false;

	while (!watchdog->stop) {
		struct timespec until;

		look_and_tell(watchdog, &is_bad);
		/* The next time is the last in time: what is late must not be told too late. */
		until = time_after(is_bad ? watchdog->interval_ms / 8 + 1 : watchdog->interval_ms);
		while (!watchdog->stop && pthread_cond_timedwait(&watchdog->wake, lock, &until) == 0)
			;
	}
	return NULL;
}

static void release(struct watchdog *watchdog)
{
	(void)pthread_cond_destroy(&watchdog->wake);
	(void)pthread_mutex_destroy(&watchdog->mutex);
	free(watchdog);
}

pep_status watchdog_start(watchdog_look *look, void *context, struct watchdog **ret_watchdog, struct pep_error *err)
{
	int64_t wanted_ms = notify_watchdog_ms();
	struct watchdog *watchdog;
	pthread_condattr_t attributes;
	int error;

	*ret_watchdog = NULL;
	if (!wanted_ms)
		return PEP_OK;
	watchdog = calloc(1, sizeof(*watchdog));
	if (!watchdog)
		return pep_fail(err, PEP_NO_MEMORY, 0, "start the watchdog: out of memory");
	watchdog->look = look;
	watchdog->context = context;
	watchdog->interval_ms = wanted_ms > 1 ? wanted_ms / 2 : 1;
	(void)pthread_mutex_init(&watchdog->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&watchdog->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	error = pthread_create(&watchdog->thread, NULL, run, watchdog);
	if (error) {
		release(watchdog);
		return pep_fail(err, PEP_LIMIT, error, "start the thread of the watchdog: %s", strerror(error));
	}
	*ret_watchdog = watchdog;
	return PEP_OK;
}

void watchdog_relax(struct watchdog *watchdog)
{
	if (!watchdog)
		return;
	(void)pthread_mutex_lock(&watchdog->mutex);
	watchdog->relaxed = true;
	(void)pthread_mutex_unlock(&watchdog->mutex);
}

void watchdog_stop(struct watchdog *watchdog)
{
	if (!watchdog)
		return;
	(void)pthread_mutex_lock(&watchdog->mutex);
	watchdog->stop = true;
	(void)pthread_cond_signal(&watchdog->wake);
	(void)pthread_mutex_unlock(&watchdog->mutex);
	(void)pthread_join(watchdog->thread, NULL);
	release(watchdog);
}
