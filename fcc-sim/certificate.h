/* SPDX-License-Identifier: Apache-2.0
 *
 * certificate.h - what FCC looks at in a certificate (RFC 5280). [any thread]
 */
#ifndef FCC_SIM_CERTIFICATE_H
#define FCC_SIM_CERTIFICATE_H

#include "fcc-sim/key.h"

struct certificate; /* a read certificate; knows nothing of the bytes it was read from afterwards */

enum certificate_verdict {
	CERTIFICATE_GOOD,
	CERTIFICATE_EMPTY,
	CERTIFICATE_UNREADABLE,
	CERTIFICATE_UNFIT, /* not P-256, not ECDSA with SHA-256 */
};

enum certificate_name {
	CERTIFICATE_CN,
	CERTIFICATE_OU,
};

/* One DER certificate. GOOD only: *ret_certificate is to be given to certificate_free(). */
enum certificate_verdict certificate_read(struct span der, struct certificate **ret_certificate);
/* NULL is allowed in *certificate; for AUTO(). */
void certificate_free(struct certificate **certificate);

void certificate_point(const struct certificate *certificate, struct key_point *ret_point);
/* The first such attribute of the subject. False: there is none, or one of a kind that Mbed TLS cannot name stands before it. Lives
 * as long as the certificate. */
bool certificate_subject(const struct certificate *certificate, enum certificate_name name, struct span *ret_value);
bool certificate_is_self_signed(const struct certificate *certificate);
/* No extended key usage at all, or one that allows TLS clients. */
bool certificate_allows_client(const struct certificate *certificate);
/* Seconds since 1970. */
int64_t certificate_valid_from(const struct certificate *certificate);
int64_t certificate_valid_until(const struct certificate *certificate);
/* `issuer` is a CA, bears the issuer's name, and its key made the signature. */
bool certificate_is_signed_by(const struct certificate *certificate, const struct certificate *issuer);

#endif
