/* SPDX-License-Identifier: Apache-2.0
 *
 * discover.h - finds pep-servers on the local network by one-shot multicast DNS queries (RFC 6762 5.1) for _pep._tcp.local (RFC 6763).
 *
 * Whoever is on the network can answer, so an answer alone is never trusted: see server.h.
 */
#ifndef CLI_PROVISION_DISCOVER_H
#define CLI_PROVISION_DISCOVER_H

#include "cli/exit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISCOVER_MAX = 16 };

struct discovered {
	char name[256];   /* of the service */
	char address[16]; /* IPv4 */
	uint16_t port;
	char scheme[8]; /* "https", or "http" if its TXT record says scheme=http */
	char pin[128];  /* "sha256//..." of its TXT record; "": none */
};

/* Asks on every interface that can multicast, or `at` (ADDRESS:PORT, PEP_MDNS) alone, and takes answers for that long; with `wanted_pin`
 * (NULL: any) it ends with the first server that has it. *ret_count may be 0. EXIT_CONFIGURATION: `at` is no such address. EXIT_OTHER: there
 * is no socket. Or the code of a signal. */
int discover(const char *at, const char *wanted_pin, int64_t limit_ms, struct discovered ret_found[DISCOVER_MAX], size_t *ret_count,
	     struct failure *err);

/* Whether a pin is in a list of them with ; between, as libcurl takes it. [any thread] */
bool discover_has_pin(const char *list, const char *pin);

#endif
