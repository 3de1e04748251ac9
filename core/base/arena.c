/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 4096u

struct arena_block {
	struct arena_block *older;
	max_align_t data[];
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){0};
}

void arena_fini(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	while (block) {
		struct arena_block *older = block->older;

		free(block);
		block = older;
	}
	arena_init(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block;
	size_t room;
	char *start;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (arena->next && size <= (size_t)(arena->end - arena->next)) {
		start = arena->next;
		arena->next += size;
		return start;
	}
	room = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE - sizeof(*block);
	block = malloc(sizeof(*block) + room);
	if (!block)
		return NULL;
	block->older = arena->blocks;
	arena->blocks = block;
	start = (char *)block->data;
	/* A large piece gets a block of its own; what is left of the current block goes on being used. */
	if (size <= BLOCK_SIZE / 4 || !arena->next) {
		arena->next = start + size;
		arena->end = start + room;
	}
	return start;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	void *memory = arena_alloc(arena, size);

	return memory ? memset(memory, 0, size) : NULL;
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
	va_list args;
	va_list again;
	char *text = NULL;
	int size;

	va_start(args, format);
	va_copy(again, args);
	size = vsnprintf(NULL, 0, format, args);
	if (size >= 0)
		text = arena_alloc(arena, (size_t)size + 1);
	if (text)
		(void)vsnprintf(text, (size_t)size + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}
