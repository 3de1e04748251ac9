/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/feed.h"

#include "core/base/cleanup.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Two of these for each feed: one is filled while the other is sent. */
#define HALF_SIZE ((size_t)128 * 1024)
/* A half with less room is as good as full: no producer is asked for a handful of bytes. */
#define ROOM_MIN ((size_t)4096)
/* Who waits is woken when so much is there: not for every row. */
#define ENOUGH ((size_t)64 * 1024)

struct feeds {
	pthread_mutex_t mutex; /* of everything below and of every feed: held for the time of a copy */
	struct pool *pool;
	struct feed *first;
	bool broken;
};

struct half {
	size_t size, sent;
	bool full; /* the producer is done with it */
	char data[HALF_SIZE];
};

struct feed {
	struct pool_job job; /* fills, and at last closes; never queued twice */
	struct feeds *feeds;
	struct feed *next, *previous;
	struct stream *stream;
	void (*wake)(void *context);
	void *context;
	ssize_t end;               /* 0, STREAM_END or STREAM_BROKEN: what comes after the last byte */
	bool working;              /* the job is queued or runs */
	bool waiting, closed;      /* the reader */
	unsigned filling, sending; /* which half */
	struct half halves[2];
};

pep_status feeds_new(struct pool *pool, struct feeds **ret_feeds, struct pep_error *err)
{
	struct feeds *feeds = calloc(1, sizeof(*feeds));

	if (!feeds)
		return pep_fail(err, PEP_NO_MEMORY, 0, "start the streams: out of memory");
	(void)pthread_mutex_init(&feeds->mutex, NULL);
	feeds->pool = pool;
	*ret_feeds = feeds;
	return PEP_OK;
}

void feeds_free(struct feeds *feeds)
{
	if (!feeds)
		return;
	(void)pthread_mutex_destroy(&feeds->mutex);
	free(feeds);
}

/* With the lock held. */
static void wake_reader(struct feed *feed)
{
	if (!feed->waiting)
		return;
	feed->waiting = false;
	feed->wake(feed->context);
}

void feeds_break(struct feeds *feeds)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&feeds->mutex);

	(void)lock;
	feeds->broken = true;
	for (struct feed *feed = feeds->first; feed; feed = feed->next)
		wake_reader(feed);
}

/* With the lock held. */
static void start_job(struct feed *feed)
{
	if (feed->working)
		return;
	feed->working = true;
	pool_continue(feed->feeds->pool, &feed->job);
}

static void unlink_feed(struct feed *feed)
{
	struct feeds *feeds = feed->feeds;
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&feeds->mutex);

	(void)lock;
	if (feed->previous)
		feed->previous->next = feed->next;
	else
		feeds->first = feed->next;
	if (feed->next)
		feed->next->previous = feed->previous;
}

/* With the lock held: what does a reader find now? */
static bool has_news(const struct feed *feed)
{
	const struct half *half = &feed->halves[feed->sending];

	return half->size > half->sent || feed->end || feed->feeds->broken;
}

/* With the lock held: `size` bytes have come, or the end. */
static void take_piece(struct feed *feed, struct half *half, ssize_t size)
{
	if (size > 0 && (size_t)size <= HALF_SIZE - half->size)
		half->size += (size_t)size;
	else
		feed->end = size == STREAM_END ? STREAM_END : STREAM_BROKEN;
	if (HALF_SIZE - half->size < ROOM_MIN) {
		half->full = true;
		feed->filling ^= 1;
	}
	if (feed->end || half->full || half->size - half->sent >= ENOUGH)
		wake_reader(feed);
}

/* One piece more. 0: there is no room, the end has come, or nobody wants it any more. */
static size_t fill_piece(struct feed *feed)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&feed->feeds->mutex);
	struct half *half = &feed->halves[feed->filling];
	ssize_t size;

	if (feed->closed || feed->feeds->broken || feed->end || half->full)
		return 0;
	/* The reader takes from before half->size, and resets a half only when it is full. */
	(void)pthread_mutex_unlock(lock);
	size = feed->stream->fill(feed->stream, half->data + half->size, HALF_SIZE - half->size);
	(void)pthread_mutex_lock(lock);
	take_piece(feed, half, size);
	return feed->end ? 0 : (size_t)size;
}

/* True: the reader has gone, and the feed is this job's to free. */
static bool finish_job(struct feed *feed)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&feed->feeds->mutex);

	(void)lock;
	if (feed->closed)
		return true;
	feed->working = false;
	if (!feed->end && !feed->feeds->broken && !feed->halves[feed->filling].full)
		start_job(feed);
	return false;
}

static void run_job(struct pool_job *job)
{
	struct feed *feed = (struct feed *)((char *)job - offsetof(struct feed, job));
	size_t filled = 0;
	size_t size;

	/* After so much the job goes to the end of the queue, so that other work gets its turn beside a fast reader. */
	while (filled < 2 * HALF_SIZE && (size = fill_piece(feed)) > 0)
		filled += size;
	if (!finish_job(feed))
		return;
	feed->stream->close(feed->stream);
	unlink_feed(feed);
	free(feed);
}

static void init_feed(struct feed *feed, struct feeds *feeds, struct stream *stream)
{
	memset(feed, 0, offsetof(struct feed, halves));
	for (size_t i = 0; i < 2; i++) { /* not the data: pages that are never used cost nothing */
		feed->halves[i].size = feed->halves[i].sent = 0;
		feed->halves[i].full = false;
	}
	feed->job.run = run_job;
	feed->feeds = feeds;
	feed->stream = stream;
}

struct feed *feed_open(struct feeds *feeds, struct stream *stream, void (*wake)(void *context), void *context)
{
	struct feed *feed = malloc(sizeof(*feed));
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&feeds->mutex);

	(void)lock;
	if (!feed)
		return NULL;
	init_feed(feed, feeds, stream);
	feed->wake = wake;
	feed->context = context;
	feed->next = feeds->first;
	if (feed->next)
		feed->next->previous = feed;
	feeds->first = feed;
	start_job(feed);
	return feed;
}

/* With the lock held: the half was sent, the producer may have it back. */
static void give_back(struct feed *feed, struct half *half)
{
	half->size = half->sent = 0;
	half->full = false;
	feed->sending ^= 1;
	if (!feed->end)
		start_job(feed);
}

ssize_t feed_read(struct feed *feed, char *data, size_t room)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&feed->feeds->mutex);
	struct half *half = &feed->halves[feed->sending];
	size_t size = half->size - half->sent;

	(void)lock;
	if (feed->feeds->broken)
		return STREAM_BROKEN;
	if (size == 0)
		return feed->end ? feed->end : FEED_EMPTY;
	if (size > room)
		size = room;
	memcpy(data, half->data + half->sent, size);
	half->sent += size;
	if (half->full && half->sent == half->size)
		give_back(feed, half);
	return (ssize_t)size;
}

void feed_wait(struct feed *feed)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&feed->feeds->mutex);

	(void)lock;
	feed->waiting = true;
	if (has_news(feed))
		wake_reader(feed);
}

void feed_close(struct feed *feed)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&feed->feeds->mutex);

	(void)lock;
	feed->closed = true;
	start_job(feed);
}
