/* SPDX-License-Identifier: Apache-2.0
 *
 * csr.h - a request for a certificate (RFC 2986), encoded byte for byte as Mbed TLS on the device does it. [any thread]
 */
#ifndef FCC_SIM_CSR_H
#define FCC_SIM_CSR_H

#include "fcc-sim/key.h"

enum csr_usage {
	CSR_DIGITAL_SIGNATURE = 1,
	CSR_NON_REPUDIATION = 2,
	CSR_KEY_CERT_SIGN = 4,
	CSR_KEY_AGREEMENT = 8,
};

/* any, serverAuth, clientAuth, codeSigning, emailProtection, timeStamping, OCSPSigning */
enum { CSR_EXTENDED_USAGE_KNOWN = 1 | 2 | 4 | 8 | 16 | 256 | 512 };

struct csr_wish {
	struct span subject;     /* "C=GB,CN=name" */
	const char *common_name; /* instead of the subject's; NULL: the subject's own */
	uint32_t usage;          /* of enum csr_usage; 0: no such extension */
	uint32_t extended_usage; /* bits of CSR_EXTENDED_USAGE_KNOWN; 0: none */
};

/* Appends the signed request. False: the subject cannot be read, or no memory. */
bool csr_put(struct buffer *out, const struct csr_wish *wish, struct span private_der, const struct key_point *point);

#endif
