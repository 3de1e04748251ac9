/* SPDX-License-Identifier: Apache-2.0
 *
 * each_arena.c - core/base/arena.h with an allocation for every piece, so that each of them can fail, and AddressSanitizer sees every
 * byte beyond one.
 */
#include "core/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *older;
	void *piece;
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){0};
}

void arena_fini(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *older = arena->blocks->older;

		free(arena->blocks->piece);
		free(arena->blocks);
		arena->blocks = older;
	}
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = malloc(sizeof(*block));
	void *piece = block ? malloc(size ? size : 1) : NULL;

	if (!piece) {
		free(block);
		return NULL;
	}
	*block = (struct arena_block){arena->blocks, piece};
	arena->blocks = block;
	return piece;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	void *piece = arena_alloc(arena, size);

	return piece ? memset(piece, 0, size) : NULL;
}

char *arena_copy(struct arena *arena, const char *text, size_t size)
{
	char *copy = arena_alloc(arena, size + 1);

	if (!copy)
		return NULL;
	if (size)
		memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
	return text ? arena_copy(arena, text, strlen(text)) : NULL;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	char *text = NULL;
	char *copy = NULL;
	va_list args;
	int size;

	va_start(args, format);
	size = vasprintf(&text, format, args);
	va_end(args);
	if (size < 0)
		return NULL;
	copy = arena_copy(arena, text, (size_t)size);
	free(text);
	return copy;
}
