/* SPDX-License-Identifier: Apache-2.0
 *
 * server.h - which server to ask, and whether it answers.
 *
 * A server that was found on the network is used only if it has the key of the pin that we were given (--pin, PEP_PIN), by https, or if
 * --trust-found says that this network is trusted. What it announces of itself decides nothing. The pin then holds for every connection.
 */
#ifndef CLI_PROVISION_SERVER_H
#define CLI_PROVISION_SERVER_H

#include "cli/provision/facts.h"
#include "cli/session.h"
#include "cli/settings.h"

#include <stdint.h>

struct server_choice {
	char source[320]; /* where the address is from, for people */
	char *url;
};

/* What can be known of a serial number before the gateway is touched. */
enum server_standing {
	SERVER_UNKNOWN, /* we may not look */
	SERVER_NEW,     /* has no identity */
	SERVER_GRANTED, /* has one, and an operator has granted another */
	SERVER_TAKEN,   /* has one: a request would be refused (409 exists) */
};

struct server_view {
	enum server_standing standing;
	char enrollment_id[128]; /* "": none, or not known */
};

/* Reads authority, pin and token again, after the environment has changed. EXIT_CONFIGURATION. */
int server_trust(const struct session *session, struct failure *err);
/* The --server option, PEP_SERVER_URL, or a server that is found within `discover_ms`. EXIT_UNREACHABLE: none is found, or none with our
 * pin; EXIT_CONFIGURATION: one is found and nothing says that it may be trusted. The choice is the caller's until
 * server_fini(), also after a failure. */
int server_choose(const struct session *session, bool trust_found, int64_t discover_ms, struct server_choice *ret_choice,
		  struct failure *err);
void server_fini(struct server_choice *choice);
/* What a request to it needs. The settings are the caller's. */
int server_settings(const struct server_choice *choice, struct settings *ret_settings, struct failure *err);
/* Our address on the way there, and its interface, where there is a way. */
void server_route(const struct server_choice *choice, struct facts *facts);
/* Asks it something harmless: EXIT_OK if it answers as a server that may be asked for an identity. EXIT_UNAUTHORISED: it does not know
 * our token, or the token may not provision. Any other reply that no pep-server in order gives is a failure, too; a 5xx or 429 is
 * retryable. */
int server_probe(const struct session *session, const struct settings *settings, const char *serial, struct server_view *ret_view,
		 struct failure *err);

#endif
