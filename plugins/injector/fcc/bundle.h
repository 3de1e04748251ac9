/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle.h - the two messages that a gateway can get, as CBOR: a request for its signing request, and its identity.
 */
#ifndef FCC_BUNDLE_H
#define FCC_BUNDLE_H

#include "frame.h"
#include "settings.h"

#define BUNDLE_ENTROPY_SIZE 48
#define BUNDLE_ROOT_OF_TRUST_SIZE 16

/* What an identity is made of; all is borrowed for the call. */
struct bundle {
	const struct settings *settings;
	const char *sid, *serial, *hardware_version;
	const char *enrollment_id; /* of the leaf */
	int64_t now_s;
	struct blob server_ca, update_certificate; /* data NULL: none */
	struct blob private_key;                   /* DER; data NULL: the gateway has made it itself */
	struct blob entropy, root_of_trust;        /* data NULL: the gateway's own */
	const struct blob *chain;                  /* the gateway's certificates, leaf first */
	size_t chain_count;
};

/* The name under which a gateway keeps its private key. */
const char *bundle_key_name(const struct settings *settings);

/* A message that asks the gateway to make a key and a request for it, and to keep the session. False: out of memory, or too large. */
bool bundle_write_request(const struct bundle *bundle, struct message *ret_message);
/* The message that carries the certificate and ends the session. */
bool bundle_write_identity(const struct bundle *bundle, struct message *ret_message);

#endif
