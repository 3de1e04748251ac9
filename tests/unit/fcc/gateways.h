/* SPDX-License-Identifier: Apache-2.0
 *
 * gateways.h - gateways that are played in this process, on one port of 127.0.0.1: each connection is a gateway of its own, whose
 * serial number says how it behaves. They take messages apart by themselves and check what they can.
 *
 *   begins with          does
 *   REFUSE               status 14 to the message with the certificate
 *   EARLY                status 4 to the first message, in both modes
 *   NINE                 communication status 9 to the message with the certificate
 *   DROP                 reads the whole message with the certificate, keeps it, and closes
 *   FIRST-DROP           closes on the first message
 *   JUNK                 keeps the certificate, and answers what is no answer
 *   FIRST-JUNK           answers the first message so
 *   HASH, SID, SECRET    keeps the certificate; the checksum, the session or the type of a value in its answer is wrong
 *   WARN                 success with warnings
 *   MUTE                 keeps the certificate and does not answer until the other side hangs up
 *   TWICE                answers the first message two times in one piece
 *   AGAIN                keeps the certificate, and answers as to the first message
 *   SLOW                 answers the first message when the other side hangs up, or after 20 s
 *   OTHER-NAME, P384, FORGED, NO-CSR   a signing request that must be refused
 *   anything else        success
 */
#ifndef TEST_FCC_GATEWAYS_H
#define TEST_FCC_GATEWAYS_H

#include <pep/injector.h>

/* What a gateway has seen. */
struct gateway {
	char serial[80];
	bool touched;              /* a whole first message came */
	unsigned messages;         /* whole messages */
	unsigned broken;           /* connections that ended inside a message */
	unsigned connections;      /* that brought a byte of a message for it */
	uint8_t certificate[4096]; /* that it holds, DER */
	size_t certificate_size;
	uint8_t last[16384]; /* the payload of the last message */
	size_t last_size;
};

/* A listener on a port of its own, whose queue is so long; returns the port. */
uint16_t gateways_listen(int queue, int *ret_fd);

/* Listen; returns the port. */
uint16_t gateways_init(void);
/* Ends when all connections have ended. */
void gateways_fini(void);

/* A port of 127.0.0.1 at which no connection is taken any more: one more neither succeeds nor fails. */
struct busy_port {
	int fd, queued[4];
	uint16_t port;
};
void busy_port_init(struct busy_port *busy);
void busy_port_fini(struct busy_port *busy);

/* A copy of what the gateway with this serial has seen; all zero if it was never spoken to. [any thread] */
void gateways_look(const char *serial, struct gateway *ret_gateway);
/* How many connections were accepted so far. [any thread] */
unsigned gateways_connections(void);

#endif
