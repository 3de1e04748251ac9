/* SPDX-License-Identifier: Apache-2.0
 *
 * sha256.h - SHA-256 (FIPS 180-4), so that pep-cli needs no library of its own for one fingerprint. [any thread]
 */
#ifndef CLI_PROVISION_SHA256_H
#define CLI_PROVISION_SHA256_H

#include <stddef.h>

void sha256(const unsigned char *data, size_t size, unsigned char ret_digest[32]);

#endif
