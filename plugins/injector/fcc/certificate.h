/* SPDX-License-Identifier: Apache-2.0
 *
 * certificate.h - certificates that a gateway takes: X.509, P-256, ECDSA with SHA-256 (it refuses every other, the server's included).
 */
#ifndef FCC_CERTIFICATE_H
#define FCC_CERTIFICATE_H

#include "frame.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <pep/plugin.h>

/* "A-" and 32 pairs with colons, and a NUL. */
#define ENROLLMENT_ID_SIZE 98

/* The enrollment identity: SHA-256 of the DER bytes of a gateway's own certificate, the leaf where it has a chain. */
bool certificate_enrollment_id(struct blob der, char ret_text[ENROLLMENT_ID_SIZE]);

/* Is the key one of P-256? */
bool certificate_is_p256(gnutls_x509_crt_t certificate);
bool certificate_key_is_p256(gnutls_pubkey_t key);
/* A number of at most 32 bytes, big endian: GnuTLS leaves out, or puts in, zeros in front. */
bool certificate_number(const gnutls_datum_t *number, uint8_t ret_bytes[32]);
/* x and y of a P-256 key, 32 bytes each, big endian. Returns 0 or a code of GnuTLS. */
int certificate_point(gnutls_pubkey_t key, uint8_t ret_point[64]);

/* Why a gateway would not store this certificate, for the end of a sentence; NULL: it would. */
const char *certificate_fault(gnutls_x509_crt_t certificate);

/* A small file. The bytes are the caller's, to be given to certificate_wipe(). `what` names the option for the message. `is_secret`: it
 * is refused if others have rights to it. */
pep_status certificate_read_file(const char *what, const char *path, bool is_secret, gnutls_datum_t *ret_bytes,
				 struct pep_error *err);
/* Wipe and free. {0} is fine. */
void certificate_wipe(gnutls_datum_t *bytes);

/* One certificate, PEM or DER, that a gateway would store, as DER; also until when it is valid, in seconds since 1970. */
pep_status certificate_load(const char *what, const char *path, gnutls_datum_t *ret_der, int64_t *ret_expires_s,
			    struct pep_error *err);

#endif
