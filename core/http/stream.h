/* SPDX-License-Identifier: Apache-2.0
 *
 * stream.h - content that is made while it is sent: the reader asks, the producer fills.
 */
#ifndef CORE_HTTP_STREAM_H
#define CORE_HTTP_STREAM_H

#include <stddef.h>
#include <sys/types.h>

#define STREAM_END (-1)    /* everything has been sent */
#define STREAM_BROKEN (-2) /* break the connection off, so that what was sent does not look whole */

struct stream {
	/* Put at most `room` bytes into `data` and return how many (at least 1), STREAM_END or STREAM_BROKEN. May wait for the
	 * store; runs on a stream worker, never on an HTTP thread. [one thread at a time] */
	ssize_t (*fill)(struct stream *stream, char *data, size_t room);
	/* Called exactly once, whether or not the end was reached; frees the stream. */
	void (*close)(struct stream *stream);
};

#endif
