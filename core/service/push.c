/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/push.h"

#include "core/base/cleanup.h"

#include <time.h>

#define RETRY_MS 1000
#define RETRY_LONGEST_MS 300000

struct post {
	struct push *push;
	struct exporter *exporter;
	struct subscriber *subscriber;
	pthread_t thread;
	bool is_running;
	pthread_mutex_t mutex; /* for what follows */
	pthread_cond_t wake;
	bool is_woken;
	struct subscriber_report report;
};

struct push {
	atomic_bool stopping;
	size_t count;
	struct post posts[];
};

/* --- a thread --- */

static struct timespec after(int64_t ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

/* Publishes how it is, and sleeps. */
static void rest(struct post *post, int64_t wait_ms, bool is_patient)
{
	const struct timespec until = after(wait_ms);
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&post->mutex);
	int waited = 0;

	post->report = *subscriber_report(post->subscriber);
	while (waited == 0 && wait_ms > 0 && !atomic_load(&post->push->stopping) && !(is_patient && post->is_woken))
		waited = pthread_cond_timedwait(&post->wake, lock, &until);
	post->is_woken = false;
}

static void *run(void *context)
{
	struct post *post = context;

	while (!atomic_load(&post->push->stopping)) {
		bool is_patient;
		int64_t wait_ms = subscriber_turn(post->subscriber, &is_patient);

		rest(post, wait_ms, is_patient);
	}
	subscriber_leave(post->subscriber);
	return NULL;
}

/* --- */

static void init_post(struct post *post, struct push *push)
{
	pthread_condattr_t attributes;

	post->push = push;
	(void)pthread_mutex_init(&post->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&post->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

static pep_status open_post(struct post *post, const struct instance_context *plugins, const struct config *config, size_t i,
			    struct storage *storage, const char *owner, struct pep_error *err)
{
	const struct config_push *wanted = &config->pushes[i];
	struct subscriber_setup setup = {
		.name = wanted->instance.name,
		.storage = storage,
		.data_dir = config->data_dir,
		.owner = owner,
		.lease_ms = config->lease_ms,
		.interval_ms = config->recovery_interval_ms,
		.attempts = wanted->attempts,
		.from_beginning = wanted->from_beginning,
		.retry_ms = RETRY_MS,
		.retry_longest_ms = RETRY_LONGEST_MS,
		.stopping = &post->push->stopping,
	};
	pep_status status = exporter_open(plugins, &wanted->instance, &post->exporter, err);

	setup.exporter = post->exporter;
	if (status == PEP_OK)
		status = subscriber_new(&setup, &post->subscriber, err);
	if (status == PEP_OK)
		post->report = *subscriber_report(post->subscriber);
	return status;
}

pep_status push_open(const struct instance_context *plugins, const struct config *config, struct storage *storage,
		     const char *owner, struct push **ret_push, struct pep_error *err)
{
	struct push *push;
	pep_status status = PEP_OK;

	*ret_push = NULL;
	if (!config->push_count)
		return PEP_OK;
	push = calloc(1, sizeof(*push) + config->push_count * sizeof(struct post));
	if (!push)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	atomic_init(&push->stopping, false);
	for (size_t i = 0; i < config->push_count && status == PEP_OK; i++) {
		init_post(&push->posts[i], push);
		push->count++;
		status = open_post(&push->posts[i], plugins, config, i, storage, owner, err);
	}
	if (status != PEP_OK) {
		push_close(push);
		return status;
	}
	*ret_push = push;
	return PEP_OK;
}

pep_status push_start(struct push *push, struct pep_error *err)
{
	for (size_t i = 0; push && i < push->count; i++) {
		struct post *post = &push->posts[i];

		if (pthread_create(&post->thread, NULL, run, post) != 0)
			return pep_fail(err, PEP_NO_MEMORY, 0, "the thread of push \"%s\" cannot be started", post->report.name);
		post->is_running = true;
		(void)pthread_setname_np(post->thread, "pep-push");
	}
	return PEP_OK;
}

static void wake_post(struct post *post)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&post->mutex);

	(void)lock;
	post->is_woken = true;
	(void)pthread_cond_signal(&post->wake);
}

void push_wake(void *context)
{
	struct push *push = context;

	for (size_t i = 0; push && i < push->count; i++)
		wake_post(&push->posts[i]);
}

static void close_post(struct post *post)
{
	if (post->is_running)
		(void)pthread_join(post->thread, NULL);
	subscriber_free(post->subscriber);
	exporter_close(post->exporter);
	(void)pthread_cond_destroy(&post->wake);
	(void)pthread_mutex_destroy(&post->mutex);
}

void push_close(struct push *push)
{
	if (!push)
		return;
	atomic_store(&push->stopping, true);
	push_wake(push);
	for (size_t i = 0; i < push->count; i++)
		close_post(&push->posts[i]);
	free(push);
}

size_t push_count(const struct push *push)
{
	return push ? push->count : 0;
}

void push_report(struct push *push, size_t i, struct subscriber_report *ret_report)
{
	struct post *post = &push->posts[i];
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&post->mutex);

	(void)lock;
	*ret_report = post->report;
}
