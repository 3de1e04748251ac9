/* SPDX-License-Identifier: Apache-2.0
 *
 * feed.h - carries a stream from the workers that make it to the HTTP thread that sends it, through a buffer of constant size.
 *
 * A job on a pool fills the buffer and ends when it is full, so a slow reader keeps no thread; the reader calls for more when half
 * of it is empty. Few and large pieces, so that a fast reader seldom waits.
 */
#ifndef CORE_HTTP_FEED_H
#define CORE_HTTP_FEED_H

#include "core/http/pool.h"
#include "core/http/stream.h"

#define FEED_EMPTY 0 /* nothing there yet: feed_wait() */

struct feed;

/* All feeds of a listener. */
struct feeds;
pep_status feeds_new(struct pool *pool, struct feeds **ret_feeds, struct pep_error *err);
/* After the last feed was closed and the pool has settled. NULL is fine. */
void feeds_free(struct feeds *feeds);
/* Every feed, also any opened later, is broken from now on; who waits is woken. [any thread] */
void feeds_break(struct feeds *feeds);

/* The feed of a stream, which it will close. `wake` is called with `context` once for each feed_wait(), from a worker or from
 * within feed_wait() or feeds_break(). NULL: out of memory, and the stream is still the caller's. [reader's thread] */
struct feed *feed_open(struct feeds *feeds, struct stream *stream, void (*wake)(void *context), void *context);
/* At most `room` bytes; FEED_EMPTY, STREAM_END or STREAM_BROKEN. [reader's thread] */
ssize_t feed_read(struct feed *feed, char *data, size_t room);
/* After FEED_EMPTY: wake me when there is something. [reader's thread] */
void feed_wait(struct feed *feed);
/* The reader is done or has gone. The stream is closed on a worker. [reader's thread] */
void feed_close(struct feed *feed);

#endif
