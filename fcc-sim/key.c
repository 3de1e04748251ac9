/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/key.h"

#include "core/base/cleanup.h"
#include "fcc-sim/der.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

static void free_datum(gnutls_datum_t *datum)
{
	gnutls_free(datum->data);
}

static void free_private(gnutls_x509_privkey_t *key)
{
	if (*key)
		gnutls_x509_privkey_deinit(*key);
}

static void free_abstract(gnutls_privkey_t *key)
{
	if (*key)
		gnutls_privkey_deinit(*key);
}

static void free_public(gnutls_pubkey_t *key)
{
	if (*key)
		gnutls_pubkey_deinit(*key);
}

static bool set_coordinate(struct span number, uint8_t ret_coordinate[KEY_COORDINATE_SIZE])
{
	while (number.size > 0 && number.data[0] == 0) {
		number.data++;
		number.size--;
	}
	if (number.size > KEY_COORDINATE_SIZE)
		return false;
	memset(ret_coordinate, 0, KEY_COORDINATE_SIZE);
	if (number.size > 0)
		memcpy(ret_coordinate + KEY_COORDINATE_SIZE - number.size, number.data, number.size);
	return true;
}

bool key_point_set(struct span x, struct span y, struct key_point *ret_point)
{
	return set_coordinate(x, ret_point->x) && set_coordinate(y, ret_point->y);
}

static struct span from_datum(const gnutls_datum_t *datum)
{
	return (struct span){datum->data, datum->size};
}

/* NULL if it is no key of any kind. */
static gnutls_x509_privkey_t import_private(struct span der)
{
	AUTO(free_private) gnutls_x509_privkey_t key = NULL;
	gnutls_datum_t datum = {(unsigned char *)der.data, (unsigned)der.size};

	if (der.size > UINT32_MAX || gnutls_x509_privkey_init(&key) != GNUTLS_E_SUCCESS)
		return NULL;
	if (gnutls_x509_privkey_import(key, &datum, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS)
		return TAKE(key);
	gnutls_x509_privkey_deinit(key);
	key = NULL;
	if (gnutls_x509_privkey_init(&key) != GNUTLS_E_SUCCESS ||
	    gnutls_x509_privkey_import_pkcs8(key, &datum, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN) != GNUTLS_E_SUCCESS)
		return NULL;
	return TAKE(key);
}

static enum key_verdict private_point(gnutls_x509_privkey_t key, struct key_point *ret_point)
{
	AUTO(free_datum) gnutls_datum_t x = {0};
	AUTO(free_datum) gnutls_datum_t y = {0};
	gnutls_ecc_curve_t curve;

	if (gnutls_x509_privkey_get_pk_algorithm(key) != GNUTLS_PK_ECDSA)
		return KEY_WRONG_CURVE;
	if (gnutls_x509_privkey_export_ecc_raw(key, &curve, &x, &y, NULL) != GNUTLS_E_SUCCESS)
		return KEY_UNREADABLE;
	if (curve != GNUTLS_ECC_CURVE_SECP256R1)
		return KEY_WRONG_CURVE;
	return key_point_set(from_datum(&x), from_datum(&y), ret_point) ? KEY_GOOD : KEY_UNREADABLE;
}

enum key_verdict key_read_private(struct span der, struct key_point *ret_point)
{
	AUTO(free_private) gnutls_x509_privkey_t key = import_private(der);

	return key ? private_point(key, ret_point) : KEY_UNREADABLE;
}

enum key_verdict key_read_public(struct span der, struct key_point *ret_point)
{
	AUTO(free_public) gnutls_pubkey_t key = NULL;
	AUTO(free_datum) gnutls_datum_t x = {0};
	AUTO(free_datum) gnutls_datum_t y = {0};
	gnutls_datum_t datum = {(unsigned char *)der.data, (unsigned)der.size};
	gnutls_ecc_curve_t curve;

	if (der.size > UINT32_MAX || gnutls_pubkey_init(&key) != GNUTLS_E_SUCCESS ||
	    gnutls_pubkey_import(key, &datum, GNUTLS_X509_FMT_DER) != GNUTLS_E_SUCCESS)
		return KEY_UNREADABLE;
	if (gnutls_pubkey_get_pk_algorithm(key, NULL) != GNUTLS_PK_ECDSA)
		return KEY_WRONG_CURVE;
	if (gnutls_pubkey_export_ecc_raw(key, &curve, &x, &y) != GNUTLS_E_SUCCESS)
		return KEY_UNREADABLE;
	if (curve != GNUTLS_ECC_CURVE_SECP256R1)
		return KEY_WRONG_CURVE;
	return key_point_set(from_datum(&x), from_datum(&y), ret_point) ? KEY_GOOD : KEY_UNREADABLE;
}

bool key_generate(struct buffer *ret_private, struct key_point *ret_point)
{
	AUTO(free_private) gnutls_x509_privkey_t key = NULL;
	AUTO(free_datum) gnutls_datum_t der = {0};

	if (gnutls_x509_privkey_init(&key) != GNUTLS_E_SUCCESS ||
	    gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) !=
		    GNUTLS_E_SUCCESS ||
	    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_DER, &der) != GNUTLS_E_SUCCESS ||
	    private_point(key, ret_point) != KEY_GOOD)
		return false;
	buffer_append(ret_private, der.data, der.size);
	return !ret_private->failed;
}

bool key_sign(struct span private_der, struct span data, struct buffer *ret_signature)
{
	AUTO(free_private) gnutls_x509_privkey_t key = import_private(private_der);
	AUTO(free_abstract) gnutls_privkey_t signer = NULL;
	AUTO(free_datum) gnutls_datum_t signature = {0};
	gnutls_datum_t datum = {(unsigned char *)data.data, (unsigned)data.size};

	if (!key || gnutls_privkey_init(&signer) != GNUTLS_E_SUCCESS ||
	    gnutls_privkey_import_x509(signer, key, GNUTLS_PRIVKEY_IMPORT_COPY) != GNUTLS_E_SUCCESS ||
	    gnutls_privkey_sign_data2(signer, GNUTLS_SIGN_ECDSA_SHA256, 0, &datum, &signature) != GNUTLS_E_SUCCESS)
		return false;
	buffer_append(ret_signature, signature.data, signature.size);
	return !ret_signature->failed;
}

void key_put_public(struct buffer *out, const struct key_point *point)
{
	/* id-ecPublicKey, prime256v1; then the unused bits of the bit string and the mark of an uncompressed point */
	static const uint8_t algorithm[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
					    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	uint8_t bits[2 + 2 * KEY_COORDINATE_SIZE] = {0x00, 0x04};
	AUTO(buffer_fini) struct buffer contents;

	buffer_init(&contents, 256);
	memcpy(bits + 2, point->x, sizeof(point->x));
	memcpy(bits + 2 + sizeof(point->x), point->y, sizeof(point->y));
	der_put(&contents, DER_SEQUENCE, (struct span){algorithm, sizeof(algorithm)});
	der_put(&contents, DER_BIT_STRING, (struct span){bits, sizeof(bits)});
	der_put_buffer(out, DER_SEQUENCE, &contents);
}

void key_compress(const struct key_point *point, uint8_t ret_compressed[1 + KEY_COORDINATE_SIZE])
{
	ret_compressed[0] = (uint8_t)(0x02 | (point->y[KEY_COORDINATE_SIZE - 1] & 1));
	memcpy(ret_compressed + 1, point->x, KEY_COORDINATE_SIZE);
}
