/* SPDX-License-Identifier: Apache-2.0 */
#include "signature.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <string.h>

#define KEY_MIN 24u

static bool decode(const char *text, struct signature_key *key)
{
	struct base64_decode_ctx context;
	size_t length = strlen(text);

	if (BASE64_DECODE_LENGTH(length) > sizeof(key->bytes))
		return false;
	base64_decode_init(&context);
	key->size = sizeof(key->bytes);
	return base64_decode_update(&context, &key->size, key->bytes, length, text) && base64_decode_final(&context);
}

pep_status signature_read_key(const char *secret, struct signature_key *ret_key, struct pep_error *err)
{
	if (strncmp(secret, "whsec_", 6) == 0) {
		if (!decode(secret + 6, ret_key))
			return pep_fail(err, PEP_INVALID, 0, "webhook: secret begins with whsec_, and is no base64 behind it");
	} else {
		ret_key->size = strnlen(secret, SIGNATURE_KEY_MAX + 1);
		if (ret_key->size <= SIGNATURE_KEY_MAX)
			memcpy(ret_key->bytes, secret, ret_key->size);
	}
	if (ret_key->size < KEY_MIN || ret_key->size > SIGNATURE_KEY_MAX)
		return pep_fail(err, PEP_INVALID, 0,
				"webhook: secret must have %u to %u bytes; make one with: echo whsec_$(openssl rand -base64 32)",
				KEY_MIN, SIGNATURE_KEY_MAX);
	return PEP_OK;
}

void signature_make(const struct signature_key *key, const char *id, const char *timestamp, const char *body, size_t size,
		    char ret_signature[SIGNATURE_SIZE])
{
	struct hmac_sha256_ctx context;
	uint8_t digest[SHA256_DIGEST_SIZE];

	hmac_sha256_set_key(&context, key->size, key->bytes);
	hmac_sha256_update(&context, strlen(id), (const uint8_t *)id);
	hmac_sha256_update(&context, 1, (const uint8_t *)".");
	hmac_sha256_update(&context, strlen(timestamp), (const uint8_t *)timestamp);
	hmac_sha256_update(&context, 1, (const uint8_t *)".");
	hmac_sha256_update(&context, size, (const uint8_t *)body);
	hmac_sha256_digest(&context, sizeof(digest), digest);
	memcpy(ret_signature, "v1,", 3);
	base64_encode_raw(ret_signature + 3, sizeof(digest), digest);
	ret_signature[3 + BASE64_ENCODE_RAW_LENGTH(sizeof(digest))] = '\0';
}
