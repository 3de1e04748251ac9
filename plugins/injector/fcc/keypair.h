/* SPDX-License-Identifier: Apache-2.0
 *
 * keypair.h - where the key in a gateway's certificate comes from: made here, or out of the signing request of the gateway.
 */
#ifndef FCC_KEYPAIR_H
#define FCC_KEYPAIR_H

#include "frame.h"

#include <gnutls/abstract.h>
#include <pep/plugin.h>

/* A new P-256 pair: the public key for gnutls_pubkey_deinit(), the private one as DER (RFC 5915) for certificate_wipe(). */
pep_status keypair_make(gnutls_pubkey_t *ret_key, gnutls_datum_t *ret_private_der, struct pep_error *err);

/* The public key of a request (PKCS#10, DER), once it is P-256, signed with ECDSA and SHA-256 by that very key, and its subject has
 * one CN, which is `serial`. Nothing else of it is believed. PEP_INTERNAL: it is not that. */
pep_status keypair_from_csr(struct blob csr, const char *serial, gnutls_pubkey_t *ret_key, struct pep_error *err);

#endif
