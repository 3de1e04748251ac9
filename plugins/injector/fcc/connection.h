/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.h - one TCP connection to a gateway: never blocks longer than its deadline, never opened twice. Times are those of
 * CLOCK_BOOTTIME, in milliseconds.
 */
#ifndef FCC_CONNECTION_H
#define FCC_CONNECTION_H

#include <pep/injector.h>

enum connection_end {
	CONNECTION_DONE,
	CONNECTION_LOST, /* refused, reset or no way to it: connection->error is the errno; 0: the gateway has closed it */
	CONNECTION_TIMEOUT,
	CONNECTION_CANCELLED,
};

struct connection {
	int fd; /* negative: none */
	int error;
	/* Asked before each step and a few times a second while waiting; NULL: it is too late to give up. */
	struct pep_witness *giving_up;
};

int64_t connection_now_ms(void);

enum connection_end connection_open(struct connection *connection, const struct pep_target *target, int64_t deadline_ms);
/* Without waiting: CONNECTION_DONE and whether the gateway has sent something, or CONNECTION_LOST. */
enum connection_end connection_look(struct connection *connection, bool *ret_has_input);
/* Ask the kernel for room for a message of `size` bytes: what it has taken arrives even if we are out of time, or gone. */
void connection_make_room(struct connection *connection, size_t size);
/* *ret_sent is how many bytes have left us, also where that is not all of them. */
enum connection_end connection_send(struct connection *connection, const uint8_t *data, size_t size, int64_t deadline_ms,
				    size_t *ret_sent);
/* At least one byte and at most `size`. */
enum connection_end connection_receive(struct connection *connection, uint8_t *ret_data, size_t size, int64_t deadline_ms,
				       size_t *ret_got);
/* Close, if open. */
void connection_close(struct connection *connection);

#endif
