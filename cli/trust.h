/* SPDX-License-Identifier: Apache-2.0
 *
 * trust.h - how we know the server, and how it knows us: authority, pin, token, client certificate. One thread.
 */
#ifndef CLI_TRUST_H
#define CLI_TRUST_H

#include "cli/session.h"

#include <curl/curl.h>

/* Texts of the command line or of the environment, but for `authorization`. */
struct trust {
	const char *ca;                /* file; NULL: the authorities of this system */
	const char *pin;               /* as libcurl takes it; NULL: none was given */
	const char *certificate, *key; /* files; NULL: none */
	char *authorization;           /* the whole header, a secret; NULL: none */
	bool is_in_clear_said;         /* that the token goes over the network as it is */
};

/* "sha256//", 44 characters, NUL. */
#define TRUST_PIN_SIZE 53

/* From options, or else from the environment; the command must ask the server. Notes what is not as it should be. EXIT_CONFIGURATION: a
 * file cannot be read, a pin or a token is none. *ret_trust is the caller's until trust_fini(). */
int trust_load(const struct session *session, struct trust *ret_trust, struct failure *err);
/* Wipes the token. Of zeroed or loaded trust. */
void trust_fini(struct trust *trust);

/* Once, if the token would go to another machine in the clear. */
void trust_warn(const struct session *session, struct trust *trust, const char *server);
/* A pin can be checked only with TLS: EXIT_CONFIGURATION for one and a server without. */
int trust_check(const struct trust *trust, const char *server, const char *shown, struct failure *err);
/* Tell libcurl. False: it cannot do what must not be left out. */
bool trust_apply(const struct trust *trust, CURL *handle);
/* trust_failure.c: whether a handshake with that server gets through; nothing is sent to it. */
bool trust_meets(const struct trust *trust, const char *server);

/* trust_failure.c: is it a matter of TLS? Then *err says what to do, and its exit code is returned; EXIT_OK: it is not. `server` is asked
 * for its pin, to show it; nothing is sent to it. */
int trust_failure(const struct trust *trust, CURLcode result, const char *why, const char *server, const char *shown,
		  struct failure *err);

#endif
