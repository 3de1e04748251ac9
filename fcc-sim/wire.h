/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.h - a connection: reads whole pieces, waits as long as it takes, gives up when told to. For one thread.
 */
#ifndef FCC_SIM_WIRE_H
#define FCC_SIM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_STOPS = 2 };

struct wire {
	int fd;
	int stop_fds[WIRE_STOPS]; /* readable: give up; negative: none */
	size_t begin, end;        /* what was received and not yet read */
	uint8_t room[4096];
};

enum wire_status {
	WIRE_GOOD,
	WIRE_CLOSED, /* by the peer, or lost */
	WIRE_STOPPED,
};

/* The wire does not own its descriptors. */
void wire_init(struct wire *wire, int fd, const int stop_fds[WIRE_STOPS]);

enum wire_status wire_read(struct wire *wire, void *ret_data, size_t size);
/* Until the peer closes. */
enum wire_status wire_swallow(struct wire *wire);
enum wire_status wire_write(struct wire *wire, const void *data, size_t size);
/* Waits for a time, or until the end; not for the peer. */
enum wire_status wire_pause(struct wire *wire, int64_t ms);

/* Waits until `fd` can be read, or it is time to give up. */
enum wire_status wire_wait(int fd, short events, const int stop_fds[WIRE_STOPS], int timeout_ms);

#endif
