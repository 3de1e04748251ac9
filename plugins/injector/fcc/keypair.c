/* SPDX-License-Identifier: Apache-2.0 */
#include "keypair.h"

#include "certificate.h"

#include <gnutls/x509.h>
#include <string.h>

pep_status keypair_make(gnutls_pubkey_t *ret_key, gnutls_datum_t *ret_private_der, struct pep_error *err)
{
	unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
	gnutls_x509_privkey_t pair = NULL;
	gnutls_privkey_t key = NULL;
	gnutls_pubkey_t public_key = NULL;
	int code = gnutls_x509_privkey_init(&pair);

	if (code == 0)
		code = gnutls_x509_privkey_generate(pair, GNUTLS_PK_ECDSA, bits, 0);
	if (code == 0)
		code = gnutls_privkey_init(&key);
	if (code == 0)
		code = gnutls_privkey_import_x509(key, pair, 0);
	if (code == 0)
		code = gnutls_pubkey_init(&public_key);
	if (code == 0)
		code = gnutls_pubkey_import_privkey(public_key, key, 0, 0);
	if (code == 0)
		code = gnutls_x509_privkey_export2(pair, GNUTLS_X509_FMT_DER, ret_private_der);
	gnutls_privkey_deinit(key);
	gnutls_x509_privkey_deinit(pair); /* which wipes it */
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
