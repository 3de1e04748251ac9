/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-server ca inspect: a certificate for people, and whether gateways and the fcc injector take it.
 */
#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/command/command.h"
#include "core/config/file.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FILE_LIMIT 65536

static void print_time(const char *what, time_t moment_s)
{
	char text[32];
	struct tm parts;

	if (gmtime_r(&moment_s, &parts) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts))
		(void)printf("%-13s %s UTC\n", what, text);
}

static void print_fingerprint(gnutls_x509_crt_t certificate)
{
	uint8_t hash[32];
	size_t size = sizeof(hash);

	if (gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, hash, &size) != 0)
		return;
	(void)printf("%-13s ", "SHA-256");
	for (size_t i = 0; i < size; i++)
		(void)printf("%s%02X", i ? ":" : "", hash[i]);
	(void)putchar('\n');
}

static void print_name(const char *what, int (*get)(gnutls_x509_crt_t, gnutls_datum_t *, unsigned), gnutls_x509_crt_t certificate)
{
	gnutls_datum_t name = {0};

	/* It may be a stranger's, and a terminal obeys control characters. */
	if (get(certificate, &name, 0) == 0)
		(void)printf("%-13s %s\n", what,
			     text_is_printable((const char *)name.data, name.size) ? (const char *)name.data : "(not printable)");
	gnutls_free(name.data);
}

static bool is_p256(gnutls_x509_crt_t certificate)
{
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
	gnutls_pubkey_t key = NULL;
	bool is = gnutls_pubkey_init(&key) == 0 && gnutls_pubkey_import_x509(key, certificate, 0) == 0 &&
		  gnutls_pubkey_export_ecc_raw2(key, &curve, NULL, NULL, 0) == 0 && curve == GNUTLS_ECC_CURVE_SECP256R1;

	gnutls_pubkey_deinit(key);
	return is;
}

/* NULL: gateway certificates can be signed with it. */
static const char *fault(gnutls_x509_crt_t certificate)
{
	unsigned critical, usage = 0;

	if (!is_p256(certificate))
		return "its key is not one of P-256, and gateways take no other";
	if (gnutls_x509_crt_get_ca_status(certificate, &critical) <= 0)
		return "it is not that of a certificate authority (basic constraints)";
	if (gnutls_x509_crt_get_key_usage(certificate, &usage, &critical) == 0 && !(usage & GNUTLS_KEY_KEY_CERT_SIGN))
		return "it must not sign certificates (key usage)";
	if (gnutls_x509_crt_get_expiration_time(certificate) <= time(NULL))
		return "it has expired";
	if (gnutls_x509_crt_get_activation_time(certificate) > time(NULL))
		return "it is not valid yet";
	return NULL;
}

static int show(gnutls_x509_crt_t certificate)
{
	unsigned bits = 0;
	int algorithm = gnutls_x509_crt_get_pk_algorithm(certificate, &bits);
	const char *why = fault(certificate);

	print_name("subject", gnutls_x509_crt_get_dn3, certificate);
	print_name("issuer", gnutls_x509_crt_get_issuer_dn3, certificate);
	print_time("valid from", gnutls_x509_crt_get_activation_time(certificate));
	print_time("valid until", gnutls_x509_crt_get_expiration_time(certificate));
	(void)printf("%-13s %s, %u bits\n", "key", gnutls_pk_algorithm_get_name((gnutls_pk_algorithm_t)algorithm), bits);
	(void)printf("%-13s %s\n", "signed with",
		     gnutls_sign_get_name((gnutls_sign_algorithm_t)gnutls_x509_crt_get_signature_algorithm(certificate)));
	print_fingerprint(certificate);
	if (why) {
		(void)printf("%-13s no: %s\n", "usable", why);
		return COMMAND_REFUSED;
	}
	(void)printf("%-13s yes: the fcc injector can sign gateway certificates with it%s\n", "usable",
		     gnutls_x509_crt_get_signature_algorithm(certificate) == GNUTLS_SIGN_ECDSA_SHA256
			     ? ""
			     : ", but not send it to gateways (chain_depth): its own signature is not ECDSA-SHA256");
	return COMMAND_DONE;
}

int command_ca_inspect(int count, char **arguments)
{
	AUTO(free_ptr) char *text = NULL;
	gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t bytes = {0};
	struct pep_error err = {0};
	size_t size = 0;
	bool is_pem;
	int exit_code;

	if (count != 1)
		return command_complain(COMMAND_USAGE, "ca inspect takes one file; try pep-server ca --help");
	if (file_read(arguments[0], FILE_LIMIT, &text, &size, &err) != PEP_OK)
		return command_complain(COMMAND_FAILED, "%s", err.message);
	is_pem = memmem(text, size, "-----BEGIN", 10) != NULL;
	bytes = (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)size};
	if (gnutls_x509_crt_init(&certificate) != 0 ||
	    gnutls_x509_crt_import(certificate, &bytes, is_pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER) != 0)
		exit_code = command_complain(COMMAND_FAILED, "%s is not a certificate in PEM or DER", arguments[0]);
	else
		exit_code = show(certificate);
	gnutls_x509_crt_deinit(certificate);
	explicit_bzero(text, size); /* somebody may have named the key by mistake */
	return exit_code;
}
