/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/tls.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <nettle/base64.h>
#include <string.h>

#define HASH_SIZE 32u

/* SHA-256 of the SubjectPublicKeyInfo (RFC 7469 2.4). */
static bool hash_key(gnutls_x509_crt_t certificate, uint8_t ret_hash[HASH_SIZE])
{
	size_t size = HASH_SIZE;

	return gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, ret_hash, &size) == 0 && size == HASH_SIZE;
}

bool tls_pin_of(gnutls_x509_crt_t certificate, char ret_pin[TLS_PIN_SIZE])
{
	uint8_t hash[HASH_SIZE];

	if (!hash_key(certificate, hash))
		return false;
	memcpy(ret_pin, "sha256//", 8);
	base64_encode_raw(ret_pin + 8, HASH_SIZE, hash);
	ret_pin[TLS_PIN_SIZE - 1] = '\0';
	return true;
}
