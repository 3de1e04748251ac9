/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.h - memory that is given back all at once: the strings of one request. Not for sharing between threads.
 */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
	struct arena_block *blocks; /* newest first */
	char *next, *end;           /* free room in the newest */
};

/* An empty arena needs no memory. {0} is one, too. */
void arena_init(struct arena *arena);
/* Gives everything back; the arena is empty and may be used again. */
void arena_fini(struct arena *arena);

/* `size` bytes, aligned for any type, not zeroed. NULL: out of memory. Lives until arena_fini(). */
void *arena_alloc(struct arena *arena, size_t size);
/* The same, zeroed. */
void *arena_zalloc(struct arena *arena, size_t size);
/* A NUL-terminated copy of `size` bytes. NULL: out of memory. */
char *arena_copy(struct arena *arena, const char *text, size_t size);
/* A copy of a text; of NULL it is NULL. */
char *arena_text(struct arena *arena, const char *text);
/* What printf would have written. NULL: out of memory. */
__attribute__((format(printf, 2, 3))) char *arena_format(struct arena *arena, const char *format, ...);

#endif
