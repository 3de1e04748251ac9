/* SPDX-License-Identifier: Apache-2.0
 *
 * canonical.h - a record in a form that does not depend on the store that keeps it: for comparing and for digests.
 *
 * All of a record counts but its revision: that is the fence of one store, and starts at 1 in the next.
 * The form: the numbers state, created_ms, deployed_ms, lease_until_ms, attempt, contacted, before, generation in decimal, each followed
 * by a comma; then the texts from `serial` to `history` in the order of struct pep_identity, each as SIZE:BYTES, or - if it is absent,
 * each followed by a comma; then a newline. [any thread]
 */
#ifndef CORE_COMMAND_CANONICAL_H
#define CORE_COMMAND_CANONICAL_H

#include "core/base/buffer.h"

#include <nettle/sha2.h>
#include <pep/identity.h>

#define CANONICAL_HEX_SIZE (2 * SHA256_DIGEST_SIZE + 1)

/* Appends the record to the buffer, whose `failed` tells. */
void canonical_append(struct buffer *buffer, const struct pep_identity *id);
/* Do they say the same? */
bool canonical_equal(const struct pep_identity *one, const struct pep_identity *other);

/* SHA-256 over records, one behind the other. */
struct canonical_digest {
	struct sha256_ctx hash;
	int64_t record_count;
};
void canonical_digest_init(struct canonical_digest *digest);
/* PEP_NO_MEMORY, PEP_LIMIT: the record has more than 16 MiB. */
pep_status canonical_digest_add(struct canonical_digest *digest, const struct pep_identity *id, struct pep_error *err);
/* Lower-case hex digits; the digest starts anew. */
void canonical_digest_end(struct canonical_digest *digest, char ret_hex[CANONICAL_HEX_SIZE]);

#endif
