/* SPDX-License-Identifier: Apache-2.0
 *
 * client.h - a client that sends exactly what it is told, and reads replies one by one.
 */
#ifndef TESTS_UNIT_HTTP_CLIENT_H
#define TESTS_UNIT_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client {
	int fd;
	char *data;               /* received */
	size_t start, size, room; /* what is not taken yet: `size` bytes from `start` on */
	bool ended;               /* the peer has closed, or reset */
	bool was_reset;
};

struct client_reply {
	unsigned status; /* 0: none came */
	char *head;
	char *body;
	size_t body_size, body_room;
	bool is_whole; /* the body has ended as it should */
};

struct client client_open(uint16_t port);
/* fd is negative if nobody listens there. */
struct client client_open_if_possible(uint16_t port);
bool client_refused(uint16_t port);
void client_close(struct client *client);
void client_send(struct client *client, const char *text);
void client_send_bytes(struct client *client, const void *data, size_t size);
/* The next reply; fails the test if nothing comes for 20 s. `without_body`: it is a reply to HEAD. */
struct client_reply client_read(struct client *client, bool without_body);
/* Has the peer closed without a byte more? Waits until either. */
bool client_at_end(struct client *client);
/* Does the peer close within so many ms? */
bool client_is_cut(struct client *client, int within_ms);
void client_reply_free(struct client_reply *reply);
/* A header's value, into a buffer of 256 bytes; "" if absent. */
const char *client_header(const struct client_reply *reply, const char *name, char value[256]);

/* Send on a new connection, read the reply. */
struct client_reply client_ask(uint16_t port, const char *text);

#endif
