/* SPDX-License-Identifier: Apache-2.0
 *
 * door.h - the thread that accepts connections and shows the slow ones out.
 *
 * It accepts, and not the HTTP library, because that one can abort the process when it is told to stop listening while it is at its
 * connection limit (0.9.75, MHD_quiesce_daemon(): two threads remove the socket from one epoll set, and the second panics).
 */
#ifndef CORE_HTTP_DOOR_H
#define CORE_HTTP_DOOR_H

#include "core/http/connection.h"

struct door;

struct door_settings {
	int fd; /* the listening socket; the door's from door_open() on if that succeeds */
	unsigned connections;
	int64_t header_timeout_ms;
	struct connections *list;
	/* Takes the new socket over, whatever becomes of it. False: it was closed. [door's thread] */
	bool (*admit)(void *context, int fd, const struct sockaddr *address, socklen_t size);
	void *context;
};

/* Start the thread; settings are copied. */
pep_status door_open(const struct door_settings *settings, struct door **ret_door, struct pep_error *err);
/* Has the thread come round since the call before? Wakes it up. True for the first call. [one thread] */
bool door_has_turned(struct door *door);
/* A connection that was admitted is about to be closed: there is room for another. [any thread] */
void door_left(struct door *door);
/* Accept what has connected so far, then nothing new. Slow connections are still cut. Returns when the socket is closed. */
void door_shut(struct door *door);
/* After door_shut(): wait until everybody has left. False: timeout. [any thread] */
bool door_wait_empty(struct door *door, int64_t timeout_ms);
/* End the thread. NULL is fine. */
void door_free(struct door *door);

#endif
