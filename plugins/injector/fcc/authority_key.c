/* SPDX-License-Identifier: Apache-2.0 */
#include "authority_key.h"

#include "certificate.h"

#include <gnutls/pkcs11.h>
#include <string.h>

static int give_pin(void *data, int attempt, const char *url, const char *label, unsigned flags, char *ret_pin, size_t room)
{
	const struct settings *settings = data;
	size_t size = strlen(settings->ca_key_password);

	(void)attempt;
	(void)url;
	(void)label;
	/* A wrong PIN would lock the token: never offer it twice. */
	if (!size || size >= room || (flags & GNUTLS_PIN_WRONG))
		return GNUTLS_E_PKCS11_PIN_ERROR;
	memcpy(ret_pin, settings->ca_key_password, size + 1);
	return 0;
}

bool authority_key_is_token(const struct settings *settings)
{
	return strncmp(settings->ca_key, "pkcs11:", 7) == 0;
}

/* For the certificate, too, which may be a token's where the key is a file's. */
static int load_module(const char *module)
{
	int code = *module ? gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_MANUAL, NULL) : 0;

	return code == 0 && *module ? gnutls_pkcs11_add_provider(module, NULL) : code;
}

static int load_token(const struct settings *settings, gnutls_privkey_t key)
{
	void *data = (void *)settings; /* given back to give_pin(), which only reads it */

	gnutls_privkey_set_pin_function(key, give_pin, data);
	return gnutls_privkey_import_url(key, settings->ca_key, 0);
}

static pep_status load_file(const struct settings *settings, gnutls_privkey_t key, int *ret_code, struct pep_error *err)
{
	const char *password = *settings->ca_key_password ? settings->ca_key_password : NULL;
	gnutls_x509_privkey_t pem = NULL;
	gnutls_datum_t bytes = {0};
	pep_status status = certificate_read_file("ca_key", settings->ca_key, true, &bytes, err);

	if (status != PEP_OK)
		return status;
	*ret_code = gnutls_x509_privkey_init(&pem);
	if (*ret_code == 0)
		*ret_code = gnutls_x509_privkey_import2(pem, &bytes, GNUTLS_X509_FMT_PEM, password, 0);
	certificate_wipe(&bytes);
	if (*ret_code == 0)
		*ret_code = gnutls_privkey_import_x509(key, pem, GNUTLS_PRIVKEY_IMPORT_COPY);
	gnutls_x509_privkey_deinit(pem);
	return PEP_OK;
}

static const char *advice(int code, bool is_token)
{
	switch (code) {
	case GNUTLS_E_DECRYPTION_FAILED:
	case GNUTLS_E_PKCS11_PIN_ERROR:
	case GNUTLS_E_PKCS11_USER_ERROR:
	case GNUTLS_E_PKCS11_PIN_LOCKED:
		return "set ca_key_password to the right one";
	default:
		return is_token ? "look for it with p11tool --list-all" : "give a private key in PEM";
	}
}

pep_status authority_key_load(const struct settings *settings, gnutls_privkey_t *ret_key, struct pep_error *err)
{
	bool is_token = authority_key_is_token(settings);
	gnutls_privkey_t key = NULL;
	pep_status status = PEP_OK;
	int code = load_module(settings->pkcs11_module);

	if (code < 0)
		return pep_fail(err, PEP_INVALID, code, "fcc: pkcs11_module %.200s cannot be used: %s; name a PKCS#11 library",
				settings->pkcs11_module, gnutls_strerror(code));
	code = gnutls_privkey_init(&key);
	if (code == 0 && is_token)
		code = load_token(settings, key);
	else if (code == 0)
		status = load_file(settings, key, &code, err);
	if (status == PEP_OK && code != 0)
		status = pep_fail(err, PEP_INVALID, code, "fcc: ca_key %.200s cannot be used: %s; %s", settings->ca_key,
				  gnutls_strerror(code), advice(code, is_token));
	if (status == PEP_OK && gnutls_privkey_get_pk_algorithm(key, NULL) != GNUTLS_PK_ECDSA)
		status = pep_fail(err, PEP_INVALID, 0, "fcc: ca_key %.200s is not one of P-256, and gateways take no other",
				  settings->ca_key);
	if (status != PEP_OK) {
		gnutls_privkey_deinit(key);
		return status;
	}
	*ret_key = key;
	return PEP_OK;
}

pep_status authority_key_check(const struct settings *settings, gnutls_privkey_t key, gnutls_x509_crt_t certificate,
			       struct pep_error *err)
{
	static uint8_t text[] = "do these two belong together?"; /* GnuTLS takes no const */
	const gnutls_datum_t sample = {.data = text, .size = sizeof(text)};
	gnutls_datum_t signature = {0};
	gnutls_pubkey_t public_key = NULL;
	int code = gnutls_privkey_sign_data2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, &sample, &signature);

	if (code == 0)
		code = gnutls_pubkey_init(&public_key);
	if (code == 0)
		code = gnutls_pubkey_import_x509(public_key, certificate, 0);
	if (code == 0)
		code = gnutls_pubkey_verify_data2(public_key, GNUTLS_SIGN_ECDSA_SHA256, 0, &sample, &signature);
	gnutls_pubkey_deinit(public_key);
	gnutls_free(signature.data);
	if (code >= 0)
		return PEP_OK;
	if (code == GNUTLS_E_PK_SIG_VERIFY_FAILED)
		return pep_fail(err, PEP_INVALID, code,
				"fcc: ca_key %.160s is not the key of ca_certificate %.160s; give the two that belong together",
				settings->ca_key, settings->ca_certificate);
	return pep_fail(err, PEP_INVALID, code, "fcc: ca_key %.200s cannot sign: %s", settings->ca_key, gnutls_strerror(code));
}
