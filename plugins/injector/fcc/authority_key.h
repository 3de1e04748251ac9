/* SPDX-License-Identifier: Apache-2.0
 *
 * authority_key.h - the key of the certificate authority: out of a PEM file or in a PKCS#11 token.
 */
#ifndef FCC_AUTHORITY_KEY_H
#define FCC_AUTHORITY_KEY_H

#include "settings.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

/* Is it in a token, which may be pulled out? */
bool authority_key_is_token(const struct settings *settings);

/* *ret_key is the caller's; gnutls_privkey_deinit() wipes it. `settings` must live as long as the key: a token may ask for its PIN. */
pep_status authority_key_load(const struct settings *settings, gnutls_privkey_t *ret_key, struct pep_error *err);

/* Is it the key of this certificate? Proved by a signature, since a token shows no more. */
pep_status authority_key_check(const struct settings *settings, gnutls_privkey_t key, gnutls_x509_crt_t certificate,
			       struct pep_error *err);

#endif
