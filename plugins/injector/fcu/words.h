/* SPDX-License-Identifier: Apache-2.0
 *
 * words.h - a list of texts that ends with NULL, in one piece of memory that a single free() gives back.
 */
#ifndef FCU_WORDS_H
#define FCU_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum { WORDS_MAX = 128 };

/* While it grows. Zeroed at first; drop it with words_drop() or words_take(). */
struct words {
	char *text; /* one behind the other, with their NULs */
	size_t size, room;
	size_t starts[WORDS_MAX];
	size_t count;
	bool failed; /* out of memory, or too many */
};

void words_begin(struct words *words);                              /* the next one starts here */
void words_add(struct words *words, const char *text, size_t size); /* to the one that was begun */
void words_end(struct words *words);
/* The list; NULL: it failed. Nothing is left in *words. */
char **words_take(struct words *words);
void words_drop(struct words *words);

#endif
