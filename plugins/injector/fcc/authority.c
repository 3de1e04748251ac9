/* SPDX-License-Identifier: Apache-2.0 */
#include "authority.h"

#include "authority_key.h"
#include "keypair.h"
#include "mould.h"

#include <gnutls/crypto.h>
#include <gnutls/pkcs11.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400
#define BACKDATE_S 3600 /* for clocks that are behind ours */

struct authority {
	const struct settings *settings;
	gnutls_privkey_t key;
	gnutls_x509_crt_t chain[AUTHORITY_CHAIN_LIMIT]; /* its own first, then who signed it */
	gnutls_datum_t chain_der[AUTHORITY_CHAIN_LIMIT];
	unsigned count;
	uint8_t key_id[64];
	size_t key_id_size;
	struct mould *mould;
	int64_t expires_s;
};

static pep_status load_certificates(struct authority *authority, struct pep_error *err)
{
	const char *place = authority->settings->ca_certificate;
	gnutls_datum_t bytes = {0};
	pep_status status;
	int code;

	if (strncmp(place, "pkcs11:", 7) == 0) {
		authority->count = 1;
		code = gnutls_x509_crt_init(&authority->chain[0]);
		if (code == 0)
			code = gnutls_x509_crt_import_url(authority->chain[0], place, 0);
	} else {
		status = certificate_read_file("ca_certificate", place, false, &bytes, err);
		if (status != PEP_OK)
			return status;
		authority->count = AUTHORITY_CHAIN_LIMIT;
		code = gnutls_x509_crt_list_import(authority->chain, &authority->count, &bytes, GNUTLS_X509_FMT_PEM, 0);
		certificate_wipe(&bytes);
		if (code <= 0)
			authority->count = 0;
	}
	if (code >= 0 && authority->count)
		return PEP_OK;
	return pep_fail(err, PEP_INVALID, code, "fcc: ca_certificate %.200s holds no certificate that can be read: %s", place,
			gnutls_strerror(code));
}

/* NULL: this certificate may sign those of gateways. */
static const char *authority_fault(gnutls_x509_crt_t certificate, bool is_sent, int64_t now_s)
{
	unsigned critical, usage = 0;

	if (is_sent && certificate_fault(certificate))
		return certificate_fault(certificate);
	if (!certificate_is_p256(certificate))
		return "its key is not one of P-256, and gateways take no other";
	if (gnutls_x509_crt_get_ca_status(certificate, &critical) <= 0)
		return "it is not that of a certificate authority (basic constraints)";
	if (gnutls_x509_crt_get_key_usage(certificate, &usage, &critical) == 0 && !(usage & GNUTLS_KEY_KEY_CERT_SIGN))
		return "it must not sign certificates (key usage)";
	if (gnutls_x509_crt_get_expiration_time(certificate) <= now_s)
		return "it has expired; make a new one";
	if (gnutls_x509_crt_get_activation_time(certificate) > now_s)
		return "it is not valid yet; look at this server's clock";
	return NULL;
}

/* Those that a gateway gets must each have signed the one before. */
static pep_status check_chain(struct authority *authority, struct pep_error *err)
{
	const char *place = authority->settings->ca_certificate;
	unsigned sent = (unsigned)authority->settings->chain_depth - 1;
	unsigned verdict;

	if (sent > authority->count)
		return pep_fail(err, PEP_INVALID, 0,
				"fcc: chain_depth %u needs %u certificates in ca_certificate %.200s, which has %u", sent + 1, sent,
				place, authority->count);
	for (unsigned i = 0; i == 0 || i < sent; i++) {
		const char *fault = authority_fault(authority->chain[i], i < sent, time(NULL));
		int64_t expires_s;

		if (fault)
			return pep_fail(err, PEP_INVALID, 0, "fcc: ca_certificate %.200s, certificate %u: %s", place, i + 1, fault);
		if (i && (gnutls_x509_crt_check_issuer(authority->chain[i - 1], authority->chain[i]) != 1 ||
			  gnutls_x509_crt_verify(authority->chain[i - 1], &authority->chain[i], 1,
						 GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &verdict) != 0 ||
			  verdict != 0))
			return pep_fail(err, PEP_INVALID, 0, "fcc: ca_certificate %.200s: certificate %u has not signed number %u",
					place, i + 1, i);
		expires_s = gnutls_x509_crt_get_expiration_time(authority->chain[i]);
		if (i == 0 || expires_s < authority->expires_s)
			authority->expires_s = expires_s;
		if (gnutls_x509_crt_export2(authority->chain[i], GNUTLS_X509_FMT_DER, &authority->chain_der[i]) < 0)
			return pep_fail(err, PEP_NO_MEMORY, 0, "fcc: no memory for ca_certificate %.200s", place);
	}
	return PEP_OK;
}

void authority_close(struct authority *authority)
{
	if (!authority)
		return;
	gnutls_privkey_deinit(authority->key); /* which wipes it */
	mould_free(authority->mould);
	for (unsigned i = 0; i < authority->count; i++) {
		gnutls_x509_crt_deinit(authority->chain[i]);
		certificate_wipe(&authority->chain_der[i]);
	}
	free(authority);
}

int64_t authority_expires_s(const struct authority *authority)
{
	return authority->expires_s;
}

static int set_name(gnutls_x509_crt_t certificate, const char *oid, const char *text)
{
	return *text ? gnutls_x509_crt_set_dn_by_oid(certificate, oid, 0, text, (unsigned)strlen(text)) : 0;
}

/* From the outside in; one CN, behind types that every gateway knows. */
static int set_subject(gnutls_x509_crt_t certificate, const struct settings *settings, const char *serial)
{
	int code = set_name(certificate, GNUTLS_OID_X520_COUNTRY_NAME, settings->country);

	if (code == 0)
		code = set_name(certificate, GNUTLS_OID_X520_STATE_OR_PROVINCE_NAME, settings->state);
	if (code == 0)
		code = set_name(certificate, GNUTLS_OID_X520_LOCALITY_NAME, settings->locality);
	if (code == 0)
		code = set_name(certificate, GNUTLS_OID_X520_ORGANIZATION_NAME, settings->organization);
	if (code == 0)
		code = set_name(certificate, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME,
				settings->use_bootstrap ? settings->unit : settings->account);
	return code == 0 ? set_name(certificate, GNUTLS_OID_X520_COMMON_NAME, serial) : code;
}

static int set_extensions(gnutls_x509_crt_t certificate, const struct authority *authority, gnutls_pubkey_t key)
{
	uint8_t id[64];
	size_t id_size = sizeof(id);
	int code = gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_AGREEMENT);

	if (code == 0)
		code = gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_CLIENT, 0);
	if (code == 0)
		code = gnutls_pubkey_get_key_id(key, 0, id, &id_size);
	if (code == 0)
		code = gnutls_x509_crt_set_subject_key_id(certificate, id, id_size);
	if (code == 0 && authority->key_id_size)
		code = gnutls_x509_crt_set_authority_key_id(certificate, authority->key_id, authority->key_id_size);
	return code;
}

static int set_all(gnutls_x509_crt_t certificate, const struct authority *authority, const struct mould_fields *fields,
		   gnutls_pubkey_t key)
{
	int code = gnutls_x509_crt_set_version(certificate, 3);

	if (code == 0)
		code = gnutls_x509_crt_set_serial(certificate, fields->serial, sizeof(fields->serial));
	if (code == 0)
		code = gnutls_x509_crt_set_activation_time(certificate, fields->from_s);
	if (code == 0)
		code = gnutls_x509_crt_set_expiration_time(certificate, fields->to_s);
	if (code == 0)
		code = set_subject(certificate, authority->settings, fields->name);
	if (code == 0)
		code = gnutls_x509_crt_set_pubkey(certificate, key);
	if (code == 0)
		code = set_extensions(certificate, authority, key);
	if (code == 0)
		code = gnutls_x509_crt_privkey_sign(certificate, authority->chain[0], authority->key, GNUTLS_DIG_SHA256, 0);
	return code;
}

/* What differs from gateway to gateway. The serial number has 160 bits, the first one 0. */
static int make_fields(const struct authority *authority, const char *name, gnutls_pubkey_t key, int64_t now_s,
		       struct mould_fields *ret_fields)
{
	int code = gnutls_rnd(GNUTLS_RND_NONCE, ret_fields->serial, sizeof(ret_fields->serial));

	ret_fields->serial[0] &= 0x7f;
	if (!ret_fields->serial[0])
		ret_fields->serial[0] = 1;
	ret_fields->from_s = now_s - BACKDATE_S;
	ret_fields->to_s = now_s + authority->settings->validity_days * DAY_S;
	ret_fields->name = name;
	return code == 0 ? certificate_point(key, ret_fields->point) : code;
}

/* A certificate that nobody gets: the shape of all the others. */
static int make_mould(struct authority *authority)
{
	gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t private_key = {0}, der = {0};
	gnutls_pubkey_t key = NULL;
	struct mould_fields fields;
	int code = keypair_make(&key, &private_key, NULL) == PEP_OK ? 0 : GNUTLS_E_MEMORY_ERROR;

	certificate_wipe(&private_key);
	if (code == 0)
		code = make_fields(authority, "mould", key, time(NULL), &fields);
	if (code == 0)
		code = gnutls_x509_crt_init(&certificate);
	if (code == 0)
		code = set_all(certificate, authority, &fields, key);
	if (code == 0)
		code = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der);
	if (code == 0)
		authority->mould = mould_new((struct blob){.data = der.data, .size = der.size}, &fields);
	if (code == 0 && !authority->mould)
		code = GNUTLS_E_ASN1_GENERIC_ERROR;
	certificate_wipe(&der);
	gnutls_x509_crt_deinit(certificate);
	gnutls_pubkey_deinit(key);
	return code;
}

static pep_status load(struct authority *authority, struct pep_error *err)
{
	pep_status status = authority_key_load(authority->settings, &authority->key, err);
	int code;

	if (status == PEP_OK)
		status = load_certificates(authority, err);
	if (status == PEP_OK)
		status = check_chain(authority, err);
	if (status == PEP_OK)
		status = authority_key_check(authority->settings, authority->key, authority->chain[0], err);
	if (status != PEP_OK)
		return status;
	authority->key_id_size = sizeof(authority->key_id);
	if (gnutls_x509_crt_get_subject_key_id(authority->chain[0], authority->key_id, &authority->key_id_size, NULL) < 0)
		authority->key_id_size = 0;
	code = make_mould(authority);
	return code == 0 ? PEP_OK
			 : pep_fail(err, PEP_INVALID, code, "fcc: no certificate can be made with ca_key %.200s: %s",
				    authority->settings->ca_key, gnutls_strerror(code));
}

pep_status authority_open(const struct settings *settings, struct authority **ret_authority, struct pep_error *err)
{
	struct authority *authority = calloc(1, sizeof(*authority));
	pep_status status;

	if (!authority)
		return pep_fail(err, PEP_NO_MEMORY, 0, "fcc: no memory for the certificate authority");
	authority->settings = settings;
	status = load(authority, err);
	if (status != PEP_OK) {
		authority_close(authority);
		return status;
	}
	*ret_authority = authority;
	return PEP_OK;
}

pep_status authority_check(const struct authority *authority, int64_t now_s, struct pep_error *err)
{
	const struct settings *settings = authority->settings;

	if (authority->expires_s <= now_s)
		return pep_fail(err, PEP_INTERNAL, 0, "fcc: ca_certificate %.200s has expired; make a new one",
				settings->ca_certificate);
	if (!settings->by_device || !authority_key_is_token(settings)) /* by_tool: issued before the connection */
		return PEP_OK;
	return authority_key_check(settings, authority->key, authority->chain[0], err);
}

pep_status authority_issue(const struct authority *authority, const char *serial, gnutls_pubkey_t key, int64_t now_s,
			   gnutls_datum_t *ret_der, struct pep_error *err)
{
	gnutls_datum_t tbs = {0}, signature = {0};
	struct mould_fields fields;
	int code = make_fields(authority, serial, key, now_s, &fields);

	if (code == 0 && !mould_cast(authority->mould, &fields, &tbs))
		code = GNUTLS_E_MEMORY_ERROR;
	if (code == 0)
		code = gnutls_privkey_sign_data(authority->key, GNUTLS_DIG_SHA256, 0, &tbs, &signature);
	if (code == 0 && !mould_sign(&tbs, &signature, ret_der))
		code = GNUTLS_E_MEMORY_ERROR;
	gnutls_free(tbs.data);
	gnutls_free(signature.data);
	return code == 0 ? PEP_OK
			 : pep_fail(err, PEP_INTERNAL, code, "fcc: no certificate can be made for %s: %s; look at ca_key", serial,
				    gnutls_strerror(code));
}

size_t authority_chain(const struct authority *authority, struct blob leaf, struct blob ret_chain[AUTHORITY_CHAIN_LIMIT])
{
	size_t count = (size_t)authority->settings->chain_depth;

	ret_chain[0] = leaf;
	for (size_t i = 1; i < count; i++)
		ret_chain[i] = (struct blob){.data = authority->chain_der[i - 1].data, .size = authority->chain_der[i - 1].size};
	return count;
}
