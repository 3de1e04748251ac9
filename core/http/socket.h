/* SPDX-License-Identifier: Apache-2.0
 *
 * socket.h - the socket that is listened on, and what the kernel knows about those it yields.
 */
#ifndef CORE_HTTP_SOCKET_H
#define CORE_HTTP_SOCKET_H

#include <netinet/in.h>
#include <pep/plugin.h>
#include <sys/socket.h>

/* A listening, non-blocking socket on a numeric IPv4 or IPv6 address; port 0: any free one. The error says what is wrong with
 * address and port, and what to do. */
pep_status socket_listen(const char *address, uint16_t port, int *ret_fd, struct pep_error *err);
/* The port of a bound socket. */
uint16_t socket_port(int fd);
/* A numeric address; v4-mapped as plain IPv4. Not an internet address: "". */
void socket_peer(const struct sockaddr *address, char ret_text[INET6_ADDRSTRLEN]);
/* For how long no data has come from the peer, in ms; negative: the kernel does not say. */
int64_t socket_quiet_ms(int fd);
/* Let this process have `count` descriptors open: raises the soft limit as far as the hard one lets it. */
pep_status socket_allow(unsigned count, struct pep_error *err);

#endif
