/* SPDX-License-Identifier: Apache-2.0
 *
 * broadcast.h - the same news for many readers: made once, taken by each when it is ready for it (server-sent events).
 *
 * One thread makes a message when something has changed, at most one per interval, and wakes those who wait. What only time changes
 * is in a message that comes without a reason. No message is queued: who is slow misses those in between. Every now and then a comment
 * line tells a reader that the server is alive.
 */
#ifndef CORE_HTTP_BROADCAST_H
#define CORE_HTTP_BROADCAST_H

#include "core/base/buffer.h"
#include "core/http/stream.h"

#include <pep/plugin.h>

#define BROADCAST_NOTHING 0 /* no news: broadcast_wait() */

struct broadcast;
struct broadcast_reader;

struct broadcast_settings {
	unsigned readers;    /* at the same time */
	size_t message_size; /* at most */
	int64_t interval_ms, comment_ms;
	int64_t refresh_ms; /* a message at least as often; 0: only when something has changed */
	/* Append the message, as it is sent; what failed is remembered by the buffer, and the message is left out. [its thread] */
	void (*make)(void *context, struct buffer *message);
	void *context;
};

/* Starts the thread, which takes no signals; settings are copied. [main thread] */
pep_status broadcast_new(const struct broadcast_settings *settings, struct broadcast **ret_broadcast, struct pep_error *err);
/* Every reader, also any that joins later, finds the end from now on; the thread has ended when this returns. Again: nothing. NULL is
 * fine. [one thread] */
void broadcast_end(struct broadcast *broadcast);
/* After the last reader has left. NULL is fine. */
void broadcast_free(struct broadcast *broadcast);

/* Something has changed. Cheap: most calls are one atomic. NULL is fine. [any thread] */
void broadcast_tell(struct broadcast *broadcast);
/* How many there are. [any thread] */
unsigned broadcast_count(struct broadcast *broadcast);

/* `wake` is called with `context` once for each broadcast_wait(), from the broadcast's thread, from within broadcast_wait() or from
 * broadcast_end(). NULL: there are as many as there may be, or there is no memory. [any thread] */
struct broadcast_reader *broadcast_join(struct broadcast *broadcast, void (*wake)(void *context), void *context);
/* At most `room` (16 or more) bytes; BROADCAST_NOTHING or STREAM_END. [reader's thread] */
ssize_t broadcast_read(struct broadcast_reader *reader, char *data, size_t room);
/* After BROADCAST_NOTHING: wake me when there is something. [reader's thread] */
void broadcast_wait(struct broadcast_reader *reader);
void broadcast_leave(struct broadcast_reader *reader);

#endif
