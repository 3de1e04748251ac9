/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include "core/base/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT 65536

bool certificate_enrollment_id(struct blob der, char ret_text[ENROLLMENT_ID_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t hash[32];
	char *next = ret_text;

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, hash) != 0)
		return false;
	*next++ = 'A';
	for (size_t i = 0; i < sizeof(hash); i++) {
		*next++ = i ? ':' : '-';
		*next++ = digits[hash[i] >> 4];
		*next++ = digits[hash[i] & 15];
	}
	*next = '\0';
	return true;
}

bool certificate_key_is_p256(gnutls_pubkey_t key)
{
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;

	return gnutls_pubkey_get_pk_algorithm(key, NULL) == GNUTLS_PK_ECDSA &&
	       gnutls_pubkey_export_ecc_raw2(key, &curve, NULL, NULL, 0) == 0 && curve == GNUTLS_ECC_CURVE_SECP256R1;
}

bool certificate_number(const gnutls_datum_t *number, uint8_t ret_bytes[32])
{
	const uint8_t *data = number->data;
	size_t size = number->size;

	for (; size && !*data; size--)
		data++;
	if (size > 32)
		return false;
	memset(ret_bytes, 0, 32 - size);
	memcpy(ret_bytes + 32 - size, data, size);
	return true;
}

int certificate_point(gnutls_pubkey_t key, uint8_t ret_point[64])
{
	gnutls_ecc_curve_t curve;
	gnutls_datum_t x = {0}, y = {0};
	int code = gnutls_pubkey_export_ecc_raw2(key, &curve, &x, &y, 0);

	if (code == 0 &&
	    (curve != GNUTLS_ECC_CURVE_SECP256R1 || !certificate_number(&x, ret_point) || !certificate_number(&y, ret_point + 32)))
		code = GNUTLS_E_ECC_UNSUPPORTED_CURVE;
	gnutls_free(x.data);
	gnutls_free(y.data);
	return code;
}

bool certificate_is_p256(gnutls_x509_crt_t certificate)
{
	gnutls_pubkey_t key = NULL;
	bool is_p256 = gnutls_pubkey_init(&key) == 0 && gnutls_pubkey_import_x509(key, certificate, 0) == 0 &&
		       certificate_key_is_p256(key);

	gnutls_pubkey_deinit(key);
	return is_p256;
}

const char *certificate_fault(gnutls_x509_crt_t certificate)
{
	if (!certificate_is_p256(certificate))
		return "its key is not one of P-256, and gateways take no other";
	if (gnutls_x509_crt_get_signature_algorithm(certificate) != GNUTLS_SIGN_ECDSA_SHA256)
		return "it is not signed with ECDSA and SHA-256, and gateways take nothing else";
	return NULL;
}

void certificate_wipe(gnutls_datum_t *bytes)
{
	if (bytes->data)
		gnutls_memset(bytes->data, 0, bytes->size);
	gnutls_free(bytes->data);
	*bytes = (gnutls_datum_t){0};
}

/* All bytes of an open file, up to the limit. NULL, or why not. */
static const char *read_all(int fd, bool is_secret, gnutls_datum_t *bytes)
{
	struct stat about;

	if (fstat(fd, &about) < 0)
		return strerror(errno);
	if (!S_ISREG(about.st_mode))
		return "it is not a file";
	if (about.st_size > FILE_LIMIT)
		return "it is too large";
	if (about.st_size == 0)
		return "it is empty";
	if (is_secret && private_file_fault(&about))
		return private_file_fault(&about);
	bytes->data = gnutls_malloc((size_t)about.st_size + 1);
	if (!bytes->data)
		return "out of memory";
	while (bytes->size < (size_t)about.st_size) {
		ssize_t got = read(fd, bytes->data + bytes->size, (size_t)about.st_size - bytes->size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return strerror(errno);
		if (got == 0)
			break;
		bytes->size += (unsigned)got;
	}
	return bytes->size ? NULL : "it is empty";
}

pep_status certificate_read_file(const char *what, const char *path, bool is_secret, gnutls_datum_t *ret_bytes,
				 struct pep_error *err)
{
	gnutls_datum_t bytes = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *fault = fd < 0 ? strerror(errno) : read_all(fd, is_secret, &bytes);

	if (fd >= 0)
		(void)close(fd);
	if (!fault) {
		*ret_bytes = bytes;
		return PEP_OK;
	}
	certificate_wipe(&bytes);
	return pep_fail(err, PEP_INVALID, 0, "fcc: cannot read %s %s: %s; check path and rights", what, path, fault);
}

/* PEM if it looks like it, else DER. */
static bool import(gnutls_x509_crt_t certificate, const gnutls_datum_t *bytes)
{
	bool is_pem = bytes->data && memmem(bytes->data, bytes->size, "-----BEGIN", 10) != NULL;

	return gnutls_x509_crt_import(certificate, bytes, is_pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER) == 0;
}

pep_status certificate_load(const char *what, const char *path, gnutls_datum_t *ret_der, int64_t *ret_expires_s,
			    struct pep_error *err)
{
	gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t bytes = {0};
	pep_status status = certificate_read_file(what, path, false, &bytes, err);
	const char *fault = NULL;

	if (status != PEP_OK)
		return status;
	if (gnutls_x509_crt_init(&certificate) != 0 || !import(certificate, &bytes))
		fault = "it is not a certificate in PEM or DER";
	else
		fault = certificate_fault(certificate);
	if (!fault && gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, ret_der) != 0)
		fault = "it cannot be written as DER";
	if (fault)
		status = pep_fail(err, PEP_INVALID, 0, "fcc: %s %s: %s", what, path, fault);
	else
		*ret_expires_s = gnutls_x509_crt_get_expiration_time(certificate);
	gnutls_x509_crt_deinit(certificate);
	certificate_wipe(&bytes);
	return status;
}
