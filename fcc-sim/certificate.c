/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/certificate.h"

#include "core/base/cleanup.h"
#include "fcc-sim/der.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

struct certificate {
	gnutls_x509_crt_t crt;
	gnutls_datum_t der, subject, issuer;
	struct key_point point;
};

void certificate_free(struct certificate **certificate)
{
	struct certificate *gone = *certificate;

	if (!gone)
		return;
	if (gone->crt)
		gnutls_x509_crt_deinit(gone->crt);
	gnutls_free(gone->der.data);
	gnutls_free(gone->subject.data);
	gnutls_free(gone->issuer.data);
	free(gone);
}

static void free_datum(gnutls_datum_t *datum)
{
	gnutls_free(datum->data);
}

static bool read_point(struct certificate *certificate)
{
	AUTO(free_datum) gnutls_datum_t x = {0};
	AUTO(free_datum) gnutls_datum_t y = {0};
	gnutls_ecc_curve_t curve;

	return gnutls_x509_crt_get_signature_algorithm(certificate->crt) == GNUTLS_SIGN_ECDSA_SHA256 &&
	       gnutls_x509_crt_get_pk_algorithm(certificate->crt, NULL) == GNUTLS_PK_ECDSA &&
	       gnutls_x509_crt_get_pk_ecc_raw(certificate->crt, &curve, &x, &y) == GNUTLS_E_SUCCESS &&
	       curve == GNUTLS_ECC_CURVE_SECP256R1 &&
	       key_point_set((struct span){x.data, x.size}, (struct span){y.data, y.size}, &certificate->point);
}

enum certificate_verdict certificate_read(struct span der, struct certificate **ret_certificate)
{
	AUTO(certificate_free) struct certificate *certificate = NULL;
	gnutls_datum_t datum = {(unsigned char *)der.data, (unsigned)der.size};

	if (der.size == 0)
		return CERTIFICATE_EMPTY;
	certificate = calloc(1, sizeof(*certificate));
	if (der.size > UINT32_MAX || !certificate || gnutls_x509_crt_init(&certificate->crt) != GNUTLS_E_SUCCESS ||
	    gnutls_x509_crt_import(certificate->crt, &datum, GNUTLS_X509_FMT_DER) != GNUTLS_E_SUCCESS ||
	    gnutls_x509_crt_export2(certificate->crt, GNUTLS_X509_FMT_DER, &certificate->der) != GNUTLS_E_SUCCESS ||
	    gnutls_x509_crt_get_raw_dn(certificate->crt, &certificate->subject) != GNUTLS_E_SUCCESS ||
	    gnutls_x509_crt_get_raw_issuer_dn(certificate->crt, &certificate->issuer) != GNUTLS_E_SUCCESS)
		return CERTIFICATE_UNREADABLE;
	if (!read_point(certificate))
		return CERTIFICATE_UNFIT;
	*ret_certificate = TAKE(certificate);
	return CERTIFICATE_GOOD;
}

void certificate_point(const struct certificate *certificate, struct key_point *ret_point)
{
	*ret_point = certificate->point;
}

/* The attribute types that Mbed TLS 2.28 has a short name for; it gives up at the first other one. */
static bool has_short_name(struct span oid)
{
	static const uint8_t x520[] = {3, 4, 5, 6, 7, 8, 10, 11, 12, 16, 17, 42, 43, 44, 45, 46, 65};
	static const uint8_t email[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01};
	static const uint8_t domain[] = {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19};

	if (oid.size == 3 && oid.data[0] == 0x55 && oid.data[1] == 0x04)
		return memchr(x520, oid.data[2], sizeof(x520)) != NULL;
	return span_equal(oid, (struct span){email, sizeof(email)}) || span_equal(oid, (struct span){domain, sizeof(domain)});
}

static struct span name_oid(enum certificate_name name)
{
	static const uint8_t cn[] = {0x55, 0x04, 0x03}, ou[] = {0x55, 0x04, 0x0b};

	return (struct span){name == CERTIFICATE_CN ? cn : ou, sizeof(cn)};
}

bool certificate_subject(const struct certificate *certificate, enum certificate_name name, struct span *ret_value)
{
	struct span names = {certificate->subject.data, certificate->subject.size};
	struct der_value all, set, pair, oid, value;

	if (!der_take_tag(&names, DER_SEQUENCE, &all))
		return false;
	for (struct span sets = all.contents; der_take_tag(&sets, DER_SET, &set);) {
		for (struct span pairs = set.contents; der_take_tag(&pairs, DER_SEQUENCE, &pair);) {
			struct span rest = pair.contents;

			if (!der_take_tag(&rest, DER_OID, &oid) || !der_take(&rest, &value))
				return false;
			if (span_equal(oid.contents, name_oid(name))) {
				*ret_value = value.contents;
				return true;
			}
			if (!has_short_name(oid.contents))
				return false;
		}
	}
	return false;
}

static bool same(const gnutls_datum_t *a, const gnutls_datum_t *b)
{
	return span_equal((struct span){a->data, a->size}, (struct span){b->data, b->size});
}

bool certificate_is_self_signed(const struct certificate *certificate)
{
	return same(&certificate->subject, &certificate->issuer);
}

bool certificate_allows_client(const struct certificate *certificate)
{
	char oid[128];
	size_t size = sizeof(oid);
	int error = gnutls_x509_crt_get_key_purpose_oid(certificate->crt, 0, oid, &size, NULL);

	if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return true;
	for (unsigned i = 1; error == GNUTLS_E_SUCCESS || error == GNUTLS_E_SHORT_MEMORY_BUFFER; i++) {
		if (error == GNUTLS_E_SUCCESS && (strcmp(oid, GNUTLS_KP_TLS_WWW_CLIENT) == 0 || strcmp(oid, GNUTLS_KP_ANY) == 0))
			return true;
		size = sizeof(oid);
		error = gnutls_x509_crt_get_key_purpose_oid(certificate->crt, i, oid, &size, NULL);
	}
	return false;
}

int64_t certificate_valid_from(const struct certificate *certificate)
{
	return gnutls_x509_crt_get_activation_time(certificate->crt);
}

int64_t certificate_valid_until(const struct certificate *certificate)
{
	return gnutls_x509_crt_get_expiration_time(certificate->crt);
}

static bool signature_fits(const struct certificate *certificate, gnutls_pubkey_t key)
{
	struct span rest = {certificate->der.data, certificate->der.size};
	struct der_value all, signed_part, algorithm, bits;
	gnutls_datum_t data, signature;

	if (!der_take_tag(&rest, DER_SEQUENCE, &all) || !der_take_tag(&all.contents, DER_SEQUENCE, &signed_part) ||
	    !der_take_tag(&all.contents, DER_SEQUENCE, &algorithm) || !der_take_tag(&all.contents, DER_BIT_STRING, &bits) ||
	    bits.contents.size < 1)
		return false;
	data = (gnutls_datum_t){(unsigned char *)signed_part.whole.data, (unsigned)signed_part.whole.size};
	signature = (gnutls_datum_t){(unsigned char *)bits.contents.data + 1, (unsigned)bits.contents.size - 1};
	return gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &signature) >= 0;
}

bool certificate_is_signed_by(const struct certificate *certificate, const struct certificate *issuer)
{
	gnutls_pubkey_t key = NULL;
	bool fits;

	if (!same(&certificate->issuer, &issuer->subject) || gnutls_x509_crt_get_ca_status(issuer->crt, NULL) <= 0 ||
	    gnutls_pubkey_init(&key) != GNUTLS_E_SUCCESS)
		return false;
	fits = gnutls_pubkey_import_x509(key, issuer->crt, 0) == GNUTLS_E_SUCCESS && signature_fits(certificate, key);
	gnutls_pubkey_deinit(key);
	return fits;
}
