/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/broadcast.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char comment[] = {':', '\n', '\n'};

struct message {
	unsigned users; /* readers that are at it, and one while it is the latest */
	size_t size;
	char data[];
};

struct broadcast_reader {
	struct broadcast *broadcast;
	struct broadcast_reader *next, *previous;
	void (*wake)(void *context);
	void *context;
	bool is_waiting;
	struct message *message; /* that it is at; NULL: none */
	size_t sent;             /* of it */
	uint64_t seen, comments; /* the last that it has got, or need not get */
};

struct broadcast {
	pthread_mutex_t mutex; /* of everything below and of every reader, but not of a message's bytes */
	pthread_cond_t work;
	struct broadcast_settings settings;
	pthread_t thread;
	bool is_running, is_ended;
	_Atomic(bool) is_changed;
	struct message *latest;
	uint64_t number, comments;        /* of messages and of comments made so far */
	int64_t made_ms, commented_ms;    /* the last of each, by the monotonic clock */
	struct broadcast_reader *readers; /* newest first */
	unsigned count;
};

static int64_t monotonic_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- with the lock held --- */

static void drop(struct message *message)
{
	if (message && --message->users == 0)
		free(message);
}

static void wake(struct broadcast_reader *reader)
{
	if (!reader->is_waiting)
		return;
	reader->is_waiting = false;
	reader->wake(reader->context);
}

static void wake_all(struct broadcast *broadcast)
{
	for (struct broadcast_reader *reader = broadcast->readers; reader; reader = reader->next)
		wake(reader);
}

static bool has_news(const struct broadcast_reader *reader)
{
	const struct broadcast *broadcast = reader->broadcast;

	return broadcast->is_ended || reader->message || (broadcast->latest && reader->seen != broadcast->number) ||
	       reader->comments != broadcast->comments;
}

/* --- the thread --- */

static struct message *make(const struct broadcast *broadcast)
{
	AUTO(buffer_fini) struct buffer text = {.limit = 0};
	struct message *message = NULL;

	buffer_init(&text, broadcast->settings.message_size);
	broadcast->settings.make(broadcast->settings.context, &text);
	if (!text.failed && text.size)
		message = malloc(sizeof(*message) + text.size);
	if (!message) {
		log_fields(LOG_WARNING, "no message for those who watch: out of memory, or it is too large", NULL);
		return NULL;
	}
	message->users = 1;
	message->size = text.size;
	memcpy(message->data, text.data, text.size);
	return message;
}

/* With the lock held, which is not while the message is made. What changes meanwhile makes another one. */
static void publish(struct broadcast *broadcast)
{
	struct message *message;

	atomic_store(&broadcast->is_changed, false);
	(void)pthread_mutex_unlock(&broadcast->mutex);
	message = make(broadcast);
	(void)pthread_mutex_lock(&broadcast->mutex);
	broadcast->made_ms = monotonic_ms();
	if (!message)
		return;
	drop(broadcast->latest);
	broadcast->latest = message;
	broadcast->number++;
	wake_all(broadcast);
}

/* With the lock held: when the next message is to be made. */
static int64_t due_ms(const struct broadcast *broadcast)
{
	const struct broadcast_settings *settings = &broadcast->settings;

	if (atomic_load(&broadcast->is_changed))
		return broadcast->made_ms + settings->interval_ms;
	return settings->refresh_ms ? broadcast->made_ms + settings->refresh_ms : INT64_MAX;
}

/* With the lock held: what is due now. Returns how long nothing else will be. */
static int64_t work_off(struct broadcast *broadcast)
{
	const struct broadcast_settings *settings = &broadcast->settings;
	int64_t now_ms = monotonic_ms();
	int64_t comment_ms, message_ms;

	if (now_ms >= due_ms(broadcast))
		publish(broadcast);
	if (now_ms - broadcast->commented_ms >= settings->comment_ms) {
		broadcast->commented_ms = now_ms;
		broadcast->comments++;
		wake_all(broadcast);
	}
	comment_ms = broadcast->commented_ms + settings->comment_ms;
	message_ms = due_ms(broadcast);
	return (message_ms < comment_ms ? message_ms : comment_ms) - monotonic_ms();
}

static void sleep_ms(struct broadcast *broadcast, int64_t ms)
{
	struct timespec until = {0};

	/* The end may have come while the lock was not held. */
	if (ms <= 0 || broadcast->is_ended)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&broadcast->work, &broadcast->mutex, &until);
}

static void *run(void *context)
{
	struct broadcast *broadcast = context;
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&broadcast->mutex);

	while (!broadcast->is_ended) {
		if (broadcast->count)
			sleep_ms(broadcast, work_off(broadcast));
		else
			(void)pthread_cond_wait(&broadcast->work, lock);
	}
	return NULL;
}

/* --- --- */

static pep_status start(struct broadcast *broadcast, struct pep_error *err)
{
	sigset_t all;
	sigset_t before;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&broadcast->thread, NULL, run, broadcast);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return pep_fail(err, PEP_LIMIT, error, "start the thread of /events: %s; allow the server more threads or memory",
				strerror(error));
	broadcast->is_running = true;
	(void)pthread_setname_np(broadcast->thread, "pep-events");
	return PEP_OK;
}

pep_status broadcast_new(const struct broadcast_settings *settings, struct broadcast **ret_broadcast, struct pep_error *err)
{
	struct broadcast *broadcast = calloc(1, sizeof(*broadcast));
	pthread_condattr_t attributes;
	pep_status status;

	if (!broadcast)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "start the thread of /events: out of memory");
	broadcast->settings = *settings;
	broadcast->made_ms = broadcast->commented_ms = monotonic_ms() - settings->interval_ms;
	(void)pthread_mutex_init(&broadcast->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&broadcast->work, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	status = start(broadcast, err);
	if (status != PEP_OK) {
		broadcast_free(broadcast);
		return status;
	}
	*ret_broadcast = broadcast;
	return PEP_OK;
}

static void tell_end(struct broadcast *broadcast)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&broadcast->mutex);

	(void)lock;
	broadcast->is_ended = true;
	wake_all(broadcast);
	(void)pthread_cond_signal(&broadcast->work);
}

void broadcast_end(struct broadcast *broadcast)
{
	if (!broadcast || !broadcast->is_running)
		return;
	tell_end(broadcast);
	(void)pthread_join(broadcast->thread, NULL);
	broadcast->is_running = false;
}

void broadcast_free(struct broadcast *broadcast)
{
	if (!broadcast)
		return;
	broadcast_end(broadcast);
	drop(broadcast->latest);
	(void)pthread_cond_destroy(&broadcast->work);
	(void)pthread_mutex_destroy(&broadcast->mutex);
	free(broadcast);
}

static void ring(struct broadcast *broadcast)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&broadcast->mutex);

	(void)lock;
	(void)pthread_cond_signal(&broadcast->work);
}

void broadcast_tell(struct broadcast *broadcast)
{
	if (broadcast && !atomic_exchange(&broadcast->is_changed, true))
		ring(broadcast);
}

unsigned broadcast_count(struct broadcast *broadcast)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&broadcast->mutex);

	(void)lock;
	return broadcast->count;
}

/* --- a reader --- */

/* With the lock held. What was made a moment ago is what it gets first; else one is made for it. */
static void enter(struct broadcast *broadcast, struct broadcast_reader *reader)
{
	bool is_fresh = broadcast->latest && monotonic_ms() - broadcast->made_ms < broadcast->settings.interval_ms;

	reader->broadcast = broadcast;
	reader->seen = is_fresh ? broadcast->number - 1 : broadcast->number;
	reader->comments = broadcast->comments;
	reader->next = broadcast->readers;
	if (reader->next)
		reader->next->previous = reader;
	broadcast->readers = reader;
	if (broadcast->count++ == 0)
		broadcast->commented_ms = monotonic_ms();
	if (!is_fresh)
		atomic_store(&broadcast->is_changed, true);
	(void)pthread_cond_signal(&broadcast->work);
}

struct broadcast_reader *broadcast_join(struct broadcast *broadcast, void (*wake_reader)(void *context), void *context)
{
	struct broadcast_reader *reader = calloc(1, sizeof(*reader));
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&broadcast->mutex);

	(void)lock;
	if (!reader || broadcast->count >= broadcast->settings.readers) {
		free(reader);
		return NULL;
	}
	reader->wake = wake_reader;
	reader->context = context;
	enter(broadcast, reader);
	return reader;
}

/* The next message or comment, if there is one. False: *ret_size is what broadcast_read() is to return. */
static bool find_bytes(struct broadcast_reader *reader, char *data, ssize_t *ret_size)
{
	struct broadcast *broadcast = reader->broadcast;
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&broadcast->mutex);

	(void)lock;
	*ret_size = BROADCAST_NOTHING;
	if (broadcast->is_ended) {
		*ret_size = STREAM_END;
		return false;
	}
	if (reader->message)
		return true;
	if (broadcast->latest && reader->seen != broadcast->number) {
		reader->message = broadcast->latest;
		reader->message->users++;
		reader->sent = 0;
		reader->seen = broadcast->number;
		return true;
	}
	if (reader->comments != broadcast->comments) {
		reader->comments = broadcast->comments;
		memcpy(data, comment, sizeof(comment));
		*ret_size = sizeof(comment);
	}
	return false;
}

static void finish_message(struct broadcast_reader *reader)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&reader->broadcast->mutex);

	(void)lock;
	drop(TAKE(reader->message));
}

ssize_t broadcast_read(struct broadcast_reader *reader, char *data, size_t room)
{
	size_t size;
	ssize_t found;

	if (!find_bytes(reader, data, &found))
		return found;
	size = reader->message->size - reader->sent;
	if (size > room)
		size = room;
	memcpy(data, reader->message->data + reader->sent, size);
	reader->sent += size;
	if (reader->sent == reader->message->size)
		finish_message(reader);
	return (ssize_t)size;
}

void broadcast_wait(struct broadcast_reader *reader)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&reader->broadcast->mutex);

	(void)lock;
	reader->is_waiting = true;
	if (has_news(reader))
		wake(reader);
}

void broadcast_leave(struct broadcast_reader *reader)
{
	struct broadcast *broadcast = reader->broadcast;
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&broadcast->mutex);

	(void)lock;
	if (reader->previous)
		reader->previous->next = reader->next;
	else
		broadcast->readers = reader->next;
	if (reader->next)
		reader->next->previous = reader->previous;
	broadcast->count--;
	drop(reader->message);
	free(reader);
}
