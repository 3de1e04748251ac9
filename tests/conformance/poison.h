/* SPDX-License-Identifier: Apache-2.0
 *
 * poison.h - records that a plugin may look at during a call only.
 */
#ifndef CONFORMANCE_POISON_H
#define CONFORMANCE_POISON_H

#include <pep/identity.h>

/* A copy, with every text in memory of its own; NULL: out of memory. */
struct pep_identity *poison_copy(const struct pep_identity *id);
/* Overwrite the copy and all its texts, then free them: who still looks at them sees nonsense, or is caught by a sanitizer. */
void poison_free(struct pep_identity *copy);
/* A deployed record whose texts are all `text`. */
void poison_fill(struct pep_identity *id, const char *text);

#endif
