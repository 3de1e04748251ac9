/* SPDX-License-Identifier: Apache-2.0 */
#include "keypair.h"

#include "certificate.h"

#include <gnutls/x509.h>
#include <string.h>

/* ECPrivateKey (RFC 5915, 3) of P-256, with the curve and the public key; what lies between the zeros is filled in. */
static const uint8_t key_head[] = {0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20};
static const uint8_t key_middle[] = {0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
				     0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00, 0x04};
#define SECRET_SIZE 32u
#define POINT_SIZE 64u
#define KEY_SIZE (sizeof(key_head) + SECRET_SIZE + sizeof(key_middle) + POINT_SIZE)

/* GnuTLS would do the same through a tree of ASN.1, which takes as long as half a signature. */
static int export_private(gnutls_privkey_t key, gnutls_pubkey_t public_key, gnutls_datum_t *ret_der)
{
	gnutls_datum_t secret = {0};
	uint8_t *der = gnutls_malloc(KEY_SIZE);
	uint8_t *at = der;
	int code = der ? gnutls_privkey_export_ecc_raw2(key, NULL, NULL, NULL, &secret, 0) : GNUTLS_E_MEMORY_ERROR;

	if (code == 0) {
		memcpy(at, key_head, sizeof(key_head));
		at += sizeof(key_head);
		code = certificate_number(&secret, at) ? 0 : GNUTLS_E_INTERNAL_ERROR;
		at += SECRET_SIZE;
		memcpy(at, key_middle, sizeof(key_middle));
		at += sizeof(key_middle);
	}
	if (code == 0)
		code = certificate_point(public_key, at);
	certificate_wipe(&secret);
	if (code == 0) {
		*ret_der = (gnutls_datum_t){.data = der, .size = KEY_SIZE};
		return 0;
	}
	gnutls_free(der);
	return code;
}

pep_status keypair_make(gnutls_pubkey_t *ret_key, gnutls_datum_t *ret_private_der, struct pep_error *err)
{
	unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
	gnutls_privkey_t key = NULL;
	gnutls_pubkey_t public_key = NULL;
	int code = gnutls_privkey_init(&key);

	if (code == 0)
		code = gnutls_privkey_generate(key, GNUTLS_PK_ECDSA, bits, 0);
	if (code == 0)
		code = gnutls_pubkey_init(&public_key);
	if (code == 0)
		code = gnutls_pubkey_import_privkey(public_key, key, 0, 0);
	if (code == 0)
		code = export_private(key, public_key, ret_private_der);
	gnutls_privkey_deinit(key); /* which wipes it */
	if (code != 0) {
		gnutls_pubkey_deinit(public_key);
		return pep_fail(err, PEP_INTERNAL, code, "fcc: no key pair can be made: %s", gnutls_strerror(code));
	}
	*ret_key = public_key;
	return PEP_OK;
}

#define TAG_UTF8 0x0c
#define TAG_PRINTABLE 0x13

/* The first CN, byte for byte: as DER, since GnuTLS escapes what it gives as a text. */
static bool has_name(gnutls_x509_crq_t request, const char *serial)
{
	uint8_t name[256];
	size_t size = sizeof(name), serial_size = strlen(serial);

	return gnutls_x509_crq_get_dn_by_oid(request, GNUTLS_OID_X520_COMMON_NAME, 0, 1, name, &size) == 0 &&
	       size == serial_size + 2 && serial_size < 128 && (name[0] == TAG_UTF8 || name[0] == TAG_PRINTABLE) &&
	       name[1] == serial_size && memcmp(name + 2, serial, serial_size) == 0;
}

/* NULL: it is what we asked for. */
static const char *csr_fault(gnutls_x509_crq_t request, gnutls_pubkey_t key, const char *serial)
{
	char name[256];
	size_t size = sizeof(name);

	if (!certificate_key_is_p256(key))
		return "its key is not one of P-256";
	if (gnutls_x509_crq_get_signature_algorithm(request) != GNUTLS_SIGN_ECDSA_SHA256)
		return "it is not signed with ECDSA and SHA-256";
	if (gnutls_x509_crq_verify(request, 0) != 0)
		return "it is not signed by the key in it";
	if (!has_name(request, serial))
		return "its name is not the serial number";
	if (gnutls_x509_crq_get_dn_by_oid(request, GNUTLS_OID_X520_COMMON_NAME, 1, 0, name, &size) !=
	    GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return "it has two names";
	return NULL;
}

pep_status keypair_from_csr(struct blob csr, const char *serial, gnutls_pubkey_t *ret_key, struct pep_error *err)
{
	/* GnuTLS takes no const, and does not write. */
	const gnutls_datum_t der = {.data = (uint8_t *)csr.data, .size = (unsigned)csr.size};
	gnutls_x509_crq_t request = NULL;
	gnutls_pubkey_t key = NULL;
	const char *fault = NULL;

	if (gnutls_x509_crq_init(&request) != 0 || gnutls_pubkey_init(&key) != 0)
		fault = "there is no memory for it";
	else if (gnutls_x509_crq_import(request, &der, GNUTLS_X509_FMT_DER) != 0 ||
		 gnutls_pubkey_import_x509_crq(key, request, 0) != 0)
		fault = "it is not a PKCS#10 request";
	else
		fault = csr_fault(request, key, serial);
	gnutls_x509_crq_deinit(request);
	if (fault) {
		gnutls_pubkey_deinit(key);
		return pep_fail(err, PEP_INTERNAL, 0, "its signing request cannot be used: %s", fault);
	}
	*ret_key = key;
	return PEP_OK;
}
