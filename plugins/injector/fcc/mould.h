/* SPDX-License-Identifier: Apache-2.0
 *
 * mould.h - gateway certificates are alike but for five fields. GnuTLS makes one, once; the others are cast from it.
 *
 * Made anew, each would cost more in the library's ASN.1 trees than in its key and its signature. The mould is not believed: it
 * must give back the bytes of the certificate that it was taken from.
 */
#ifndef FCC_MOULD_H
#define FCC_MOULD_H

#include "frame.h"

#include <gnutls/gnutls.h>

#define MOULD_SERIAL_SIZE 20u
#define MOULD_POINT_SIZE 64u /* x and y of a P-256 key, big endian */

struct mould_fields {
	uint8_t serial[MOULD_SERIAL_SIZE]; /* first byte 1 to 127: so many bytes, and positive (RFC 5280, 4.1.2.2) */
	int64_t from_s, to_s;              /* seconds since 1970, to the end of 9999 */
	const char *name;                  /* CN, the last of the subject; 1 to 64 bytes */
	uint8_t point[MOULD_POINT_SIZE];
};

struct mould;

/* From a certificate (DER) that has these fields, P-256 and ECDSA with SHA-256, extensions, and of these a subject key identifier that
 * is the SHA-1 of the key. NULL: out of memory, or it is not such a one. [any thread] */
struct mould *mould_new(struct blob certificate, const struct mould_fields *fields);
void mould_free(struct mould *mould); /* NULL is fine */

/* What is to be signed: a TBSCertificate, for gnutls_free(). False: out of memory, or a field is not as it should be. [any thread] */
bool mould_cast(const struct mould *mould, const struct mould_fields *fields, gnutls_datum_t *ret_tbs);
/* The certificate: what was signed, and its signature (DER of RFC 3279, 2.2.3), for gnutls_free(). */
bool mould_sign(const gnutls_datum_t *tbs, const gnutls_datum_t *signature, gnutls_datum_t *ret_certificate);

#endif
