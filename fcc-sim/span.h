/* SPDX-License-Identifier: Apache-2.0
 *
 * span.h - some bytes that belong to somebody else.
 */
#ifndef FCC_SIM_SPAN_H
#define FCC_SIM_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *data; /* NULL: none at all, which differs from an empty one */
	size_t size;
};

static inline struct span span_text(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* How FCC compares what it received with a word that it knows: over the received length only, so that every beginning of the word
 * fits it, the empty one, too. */
static inline bool span_begins_word(struct span received, const char *word)
{
	return received.size == 0 || strncmp(word, (const char *)received.data, received.size) == 0;
}

#endif
