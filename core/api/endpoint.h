/* SPDX-License-Identifier: Apache-2.0
 *
 * endpoint.h - where a gateway may be: the server connects to what a request names, so a request must not be able to name everything.
 */
#ifndef CORE_API_ENDPOINT_H
#define CORE_API_ENDPOINT_H

#include "core/config/config.h"

struct endpoint_fault {
	const char *field; /* "ip" or "port" */
	const char *why;   /* a sentence; lives for ever */
};

/* May there be a gateway at this address (as from network_address()) and port? Refused whatever the configuration says: what is no
 * single host (unspecified, multicast, broadcast, reserved: RFC 6890), what is link-local (RFC 3927, RFC 4291 2.5.6; it is also where
 * clouds answer about their machines), and this very server: loopback with `own_port` (0: not known), and any port at another address of this host. Everything
 * else has to lie in identity.networks, and the port between the lowest and the highest gateway port. [any thread] */
bool endpoint_is_allowed(const struct config *config, const unsigned char address[16], uint16_t port, uint16_t own_port,
			 struct endpoint_fault *ret_fault);

#endif
