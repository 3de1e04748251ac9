/* SPDX-License-Identifier: Apache-2.0
 *
 * authority.h - the certificate authority that signs gateway certificates: its key and certificate, and what it makes.
 */
#ifndef FCC_AUTHORITY_H
#define FCC_AUTHORITY_H

#include "certificate.h"
#include "settings.h"

#define AUTHORITY_CHAIN_LIMIT 5

struct authority;

/* Load key and certificate, and check all that could be wrong with them: expired, not an authority, not P-256, not a pair (by a
 * signature), a chain that does not hold. `settings` must live as long as the authority. PEP_INVALID: one line that says what to do. */
pep_status authority_open(const struct settings *settings, struct authority **ret_authority, struct pep_error *err);
/* The key is wiped. NULL is fine. */
void authority_close(struct authority *authority);

/* Until when its certificate, and those that gateways get with theirs, are valid, in seconds since 1970. */
int64_t authority_expires_s(const struct authority *authority);

/* Can it issue now? Asked before a gateway is erased: not expired; by_device also that a
 * token is still there, which costs a signature. [any thread] */
pep_status authority_check(const struct authority *authority, int64_t now_s, struct pep_error *err);

/* A certificate for the gateway with this serial number, DER, the caller's, for certificate_wipe(): version 3, 160-bit random serial
 * number, subject of the settings with CN = serial, clientAuth. Valid from an hour ago. [any thread] */
pep_status authority_issue(const struct authority *authority, const char *serial, gnutls_pubkey_t key, int64_t now_s,
			   gnutls_datum_t *ret_der, struct pep_error *err);

/* A gateway's certificates, leaf first, where `leaf` is what authority_issue() made; at most chain_depth. They live as long as both. */
size_t authority_chain(const struct authority *authority, struct blob leaf, struct blob ret_chain[AUTHORITY_CHAIN_LIMIT]);

#endif
