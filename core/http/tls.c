/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/tls.h"

#include "core/base/cleanup.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/config/file.h"

#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_LIMIT ((size_t)256 * 1024)
#define CHAIN_LIMIT 16u

/* What one reading of the files gave. Older ones stay until the end: a handshake may still be using them, and they are few. */
struct material {
	struct material *older;
	gnutls_pcert_st chain[CHAIN_LIMIT];
	unsigned chain_count;
	gnutls_privkey_t key;
	gnutls_x509_trust_list_t authorities; /* NULL: client certificates are not asked for */
	char pin[TLS_PIN_SIZE];
	int64_t expires_s;
};

struct tls {
	struct tls_settings settings;
	_Atomic(struct material *) newest;
};

/* At file scope, because GnuTLS gives nothing but the session to the function that has to find the certificate. */
static _Atomic(struct tls *) opened;

static void free_material(struct material **to_free)
{
	struct material *material = *to_free;

	if (!material)
		return;
	for (unsigned i = 0; i < material->chain_count; i++)
		gnutls_pcert_deinit(&material->chain[i]);
	gnutls_privkey_deinit(material->key);
	if (material->authorities)
		gnutls_x509_trust_list_deinit(material->authorities, 1);
	free(material);
}

static void free_certificate(const gnutls_x509_crt_t *certificate)
{
	gnutls_x509_crt_deinit(*certificate);
}

static void free_public_key(const gnutls_pubkey_t *key)
{
	gnutls_pubkey_deinit(*key);
}

static pep_status refuse(const char *what, const char *path, int code, const char *advice, struct pep_error *err)
{
	return pep_fail(err, code == GNUTLS_E_MEMORY_ERROR ? PEP_NO_MEMORY : PEP_INVALID, code, "tls.%s %.300s: %s; %s", what, path,
			gnutls_strerror(code), advice);
}

static pep_status read_chain(const char *path, struct material *material, struct pep_error *err)
{
	AUTO(free_ptr) char *text = NULL;
	size_t size = 0;
	unsigned count = CHAIN_LIMIT;
	gnutls_datum_t pem;
	pep_status status = file_read(path, FILE_LIMIT, &text, &size, err);
	int code;

	if (status != PEP_OK)
		return status;
	pem = (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)size};
	code = gnutls_pcert_list_import_x509_raw(material->chain, &count, &pem, GNUTLS_X509_FMT_PEM, 0);
	if (code != 0 || count == 0)
		return refuse("certificate", path, code ? code : GNUTLS_E_NO_CERTIFICATE_FOUND,
			      "give the server's certificate in PEM, with those between it and its authority", err);
	material->chain_count = count;
	return PEP_OK;
}

static pep_status read_key(const char *path, struct material *material, struct pep_error *err)
{
	char *text = NULL;
	size_t size = 0;
	gnutls_datum_t pem;
	pep_status status = file_read_private(path, FILE_LIMIT, &text, &size, err);
	int code;

	if (status != PEP_OK)
		return status;
	pem = (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)size};
	code = gnutls_privkey_init(&material->key);
	if (code == 0)
		code = gnutls_privkey_import_x509_raw(material->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	explicit_bzero(text, size);
	free(text);
	return code == 0 ? PEP_OK : refuse("key", path, code, "give its private key in PEM, not encrypted", err);
}

/* Do certificate and key belong together? */
static bool is_pair(const struct material *material)
{
	AUTO(free_public_key) gnutls_pubkey_t key = NULL;
	uint8_t own[64], certified[64];
	size_t own_size = sizeof(own), certified_size = sizeof(certified);

	return gnutls_pubkey_init(&key) == 0 && gnutls_pubkey_import_privkey(key, material->key, 0, 0) == 0 &&
	       gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, own, &own_size) == 0 &&
	       gnutls_pubkey_get_key_id(material->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, certified, &certified_size) == 0 &&
	       own_size == certified_size && memcmp(own, certified, own_size) == 0;
}

static pep_status check_pair(const struct tls_settings *settings, struct material *material, struct pep_error *err)
{
	AUTO(free_certificate) gnutls_x509_crt_t certificate = NULL;
	int code = gnutls_x509_crt_init(&certificate);

	if (code == 0)
		code = gnutls_x509_crt_import(certificate, &material->chain[0].cert, GNUTLS_X509_FMT_DER);
	if (code != 0 || !tls_pin_of(certificate, material->pin))
		return refuse("certificate", settings->certificate, code ? code : GNUTLS_E_UNKNOWN_PK_ALGORITHM,
			      "give a certificate of the server", err);
	if (!is_pair(material))
		return pep_fail(err, PEP_INVALID, 0,
				"tls.key %.160s is not the key of tls.certificate %.160s; give the two that belong "
				"together",
				settings->key, settings->certificate);
	material->expires_s = gnutls_x509_crt_get_expiration_time(certificate);
	/* Not refused: a client that has pinned the key does not look at it. */
	if (material->expires_s < time(NULL))
		log_event(LOG_WARNING, "tls.certificate has expired: only clients that have pinned its key will take it",
			  LOG_TEXT("file", settings->certificate));
	return PEP_OK;
}

static pep_status read_authorities(const char *path, struct material *material, struct pep_error *err)
{
	AUTO(free_ptr) char *text = NULL;
	size_t size = 0;
	gnutls_datum_t pem;
	pep_status status = file_read(path, FILE_LIMIT, &text, &size, err);
	int code;

	if (status != PEP_OK)
		return status;
	pem = (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)size};
	code = gnutls_x509_trust_list_init(&material->authorities, 0);
	if (code == 0)
		code = gnutls_x509_trust_list_add_trust_mem(material->authorities, &pem, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	if (code > 0)
		return PEP_OK;
	return refuse("client_ca", path, code ? code : GNUTLS_E_NO_CERTIFICATE_FOUND,
		      "give the certificate of the authority that signs client certificates, in PEM", err);
}

/* Says which key of the configuration the file is of. */
static pep_status blame(pep_status status, const char *key, struct pep_error *err)
{
	if (status == PEP_OK)
		return PEP_OK;

	const struct pep_error why = *err;

	return pep_fail(err, status, why.native, "%s: %.480s", key, why.message);
}

static pep_status read_material(const struct tls_settings *settings, struct material **ret_material, struct pep_error *err)
{
	AUTO(free_material) struct material *material = calloc(1, sizeof(*material));
	pep_status status;

	if (!material)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading certificate and key");
	status = blame(read_chain(settings->certificate, material, err), "tls.certificate", err);
	if (status == PEP_OK)
		status = blame(read_key(settings->key, material, err), "tls.key", err);
	if (status == PEP_OK)
		status = check_pair(settings, material, err);
	if (status == PEP_OK && settings->client_ca)
		status = blame(read_authorities(settings->client_ca, material, err), "tls.client_ca", err);
	if (status == PEP_OK)
		*ret_material = TAKE(material);
	return status;
}

pep_status tls_open(const struct tls_settings *settings, struct tls **ret_tls, struct pep_error *err)
{
	AUTO(free_ptr) struct tls *tls = calloc(1, sizeof(*tls));
	struct material *material = NULL;
	struct tls *nobody = NULL;
	pep_status status;

	if (!tls)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading certificate and key");
	tls->settings = *settings;
	status = read_material(settings, &material, err);
	if (status != PEP_OK)
		return status; /* cppcheck-suppress memleak // it does not know cleanup functions */
	atomic_init(&tls->newest, material);
	if (!atomic_compare_exchange_strong(&opened, &nobody, tls)) {
		free_material(&material);
		return pep_fail(err, PEP_INVALID, 0, "TLS: two servers in one process cannot both have a certificate");
	}
	*ret_tls = TAKE(tls);
	return PEP_OK;
}

void tls_close(struct tls *tls)
{
	struct material *material = tls ? tls->newest : NULL;

	if (!tls)
		return;
	atomic_store(&opened, NULL);
	while (material) {
		struct material *older = material->older;

		free_material(&material);
		material = older;
	}
	free(tls);
}

pep_status tls_reload(struct tls *tls, struct pep_error *err)
{
	struct material *material = NULL;
	pep_status status = read_material(&tls->settings, &material, err);

	if (status != PEP_OK || !material)
		return status;
	material->older = tls->newest;
	atomic_store(&tls->newest, material);
	return PEP_OK;
}

/* Ciphers of 256 bits, as SECURE256 says, and only with keys that are forgotten (ECDHE). But that alone would refuse the certificates that
 * most authorities give: P-256, and signatures with SHA-256. X25519 first, because it is what clients guess, and a wrong guess costs a
 * round trip. */
#define PRIORITIES(versions)                                                                                                  \
	"SECURE256:-VERS-ALL:" versions                                                                                       \
	":-RSA:-DHE-RSA:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1"                          \
	":+SIGN-EDDSA-ED25519:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA256:+SIGN-RSA-PSS-SHA256:+SIGN-RSA-PSS-RSAE-SHA256" \
	":+SIGN-RSA-SHA256:%SERVER_PRECEDENCE"

const char *tls_priorities(const struct tls *tls)
{
	return tls->settings.only_1_3 ? PRIORITIES("+VERS-TLS1.3") : PRIORITIES("+VERS-TLS1.3:+VERS-TLS1.2");
}

int tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
	       const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret_chain, unsigned *ret_count,
	       gnutls_privkey_t *ret_key)
{
	struct tls *tls = atomic_load(&opened);
	struct material *material = tls ? atomic_load(&tls->newest) : NULL;

	(void)authorities;
	(void)authority_count;
	(void)algorithms;
	(void)algorithm_count;
	if (!material)
		return -1;
	/* Here, before the server's first answer, so that it follows a reload, too. Without the authorities' names: a client shows what it
	 * has, and hears from us if that is no good. */
	if (material->authorities) {
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
		gnutls_certificate_send_x509_rdn_sequence(session, 1);
	}
	*ret_chain = material->chain;
	*ret_count = material->chain_count;
	*ret_key = material->key;
	return 0;
}

/* --- who is at the other end --- */

static void log_refused(unsigned faults, const char *address)
{
	gnutls_datum_t why = {0};

	(void)gnutls_certificate_verification_status_print(faults, GNUTLS_CRT_X509, &why, 0);
	log_event(LOG_NOTICE, "a client certificate is not accepted: it counts as none",
		  LOG_TEXT("reason", why.data ? (const char *)why.data : "it cannot be read"), LOG_TEXT("peer", address));
	gnutls_free(why.data);
}

static bool is_trusted(const struct material *material, gnutls_x509_crt_t *chain, unsigned count, const char *address)
{
	char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st wanted = {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose};
	const unsigned flags = GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM);
	unsigned faults = GNUTLS_CERT_INVALID;

	if (gnutls_x509_trust_list_verify_crt2(material->authorities, chain, count, &wanted, 1, flags, &faults, NULL) == 0 &&
	    faults == 0)
		return true;
	log_refused(faults, address);
	return false;
}

static void read_peer(gnutls_x509_crt_t certificate, const gnutls_datum_t *der, struct tls_peer *peer)
{
	char name[sizeof(peer->name)];
	size_t size = sizeof(name);

	text_sha256(der->data, der->size, peer->sha256);
	if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) == 0 &&
	    text_is_printable(name, size)) {
		memcpy(peer->name, name, size);
		peer->name[size] = '\0';
	}
}

static bool import(const gnutls_datum_t *der, gnutls_x509_crt_t *ret_certificate)
{
	gnutls_x509_crt_t certificate;

	if (gnutls_x509_crt_init(&certificate) != 0)
		return false;
	if (gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER) != 0) {
		gnutls_x509_crt_deinit(certificate);
		return false;
	}
	*ret_certificate = certificate;
	return true;
}

void tls_identify(struct tls *tls, gnutls_session_t session, const char *address, struct tls_peer *ret_peer)
{
	const struct material *material = atomic_load(&tls->newest);
	gnutls_x509_crt_t chain[CHAIN_LIMIT];
	unsigned count = 0, imported = 0;
	const gnutls_datum_t *ders = gnutls_certificate_get_peers(session, &count);

	*ret_peer = (struct tls_peer){0};
	if (!ders || count == 0 || !material->authorities)
		return;
	while (imported < count && imported < CHAIN_LIMIT && import(&ders[imported], &chain[imported]))
		imported++;
	if (imported == count && is_trusted(material, chain, count, address))
		read_peer(chain[0], &ders[0], ret_peer);
	while (imported > 0)
		gnutls_x509_crt_deinit(chain[--imported]);
}

void tls_pin(const struct tls *tls, char ret_pin[TLS_PIN_SIZE])
{
	memcpy(ret_pin, tls->newest->pin, TLS_PIN_SIZE);
}

int64_t tls_expires_s(const struct tls *tls)
{
	return tls->newest->expires_s;
}
