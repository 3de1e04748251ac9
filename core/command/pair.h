/* SPDX-License-Identifier: Apache-2.0
 *
 * pair.h - a new P-256 key and the certificate that it signs itself, in two new files. Functions that return a code of GnuTLS: 0 is good.
 */
#ifndef CORE_COMMAND_PAIR_H
#define CORE_COMMAND_PAIR_H

#include <gnutls/x509.h>
#include <stdint.h>

/* Make the key, and write it as PKCS#8 in PEM: encrypted, unless `password` is NULL. *ret_pem is the caller's to wipe and free. */
int pair_make_key(gnutls_x509_privkey_t key, const char *password, gnutls_datum_t *ret_pem);
/* What every certificate has: version, a random number, common name, key, valid from yesterday for so many days. Extensions and signature
 * are the caller's. */
int pair_fill(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *name, int64_t days);
/* DIR/NAME.key (mode 0600) and DIR/NAME.crt (0644): both whole, or none. What is there already is somebody's, and stays. Prints both
 * paths. Returns a COMMAND_ code; what is wrong was said. */
int pair_write(const char *dir, const char *name, const gnutls_datum_t *key_pem, const gnutls_datum_t *certificate_pem);

#endif
