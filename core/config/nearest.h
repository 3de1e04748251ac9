/* SPDX-License-Identifier: Apache-2.0
 *
 * nearest.h - the known word that somebody may have meant. [any thread]
 */
#ifndef CORE_CONFIG_NEAREST_H
#define CORE_CONFIG_NEAREST_H

#include <stddef.h>

/* Changes that make one word of the other: a letter more, less, another one, or two neighbours swapped (optimal string alignment).
 * Words over 64 bytes are as far away as can be: SIZE_MAX. */
size_t nearest_distance(const char *a, const char *b);

struct nearest {
	const char *word; /* what was written */
	const char *best; /* NULL: nothing is near enough */
	size_t distance;  /* of best */
};
/* Begin a search; then offer every known word; then read `best`. A word is near if a third of the letters or fewer differ. */
void nearest_init(struct nearest *nearest, const char *word);
void nearest_offer(struct nearest *nearest, const char *known);

#endif
