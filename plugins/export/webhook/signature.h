/* SPDX-License-Identifier: Apache-2.0
 *
 * signature.h - signs a message as "Standard Webhooks" says (github.com/standard-webhooks, spec of 2023, symmetric signatures).
 */
#ifndef WEBHOOK_SIGNATURE_H
#define WEBHOOK_SIGNATURE_H

#include <pep/plugin.h>

#define SIGNATURE_SIZE 48u /* "v1,", 44 characters of base64, NUL */
#define SIGNATURE_KEY_MAX 1024u

struct signature_key {
	uint8_t bytes[SIGNATURE_KEY_MAX];
	size_t size;
};

/* "whsec_" and base64: what that means; any other text: its bytes. PEP_INVALID: it is no base64, or has less than 24 bytes, or more than
 * SIGNATURE_KEY_MAX. *err does not quote it. */
pep_status signature_read_key(const char *secret, struct signature_key *ret_key, struct pep_error *err);
/* Of "ID.TIMESTAMP.BODY", with a NUL. */
void signature_make(const struct signature_key *key, const char *id, const char *timestamp, const char *body, size_t size,
		    char ret_signature[SIGNATURE_SIZE]);

#endif
