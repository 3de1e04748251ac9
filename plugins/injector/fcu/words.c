/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <stdlib.h>
#include <string.h>

void words_begin(struct words *words)
{
	if (words->count == WORDS_MAX)
		words->failed = true;
	else
		words->starts[words->count++] = words->size;
}

void words_add(struct words *words, const char *text, size_t size)
{
	if (words->failed || !size)
		return;
	if (size > words->room - words->size) {
		size_t room = words->room * 2 + size + 256;
		char *grown = realloc(words->text, room);

		if (!grown) {
			words->failed = true;
			return;
		}
		words->text = grown;
		words->room = room;
	}
	memcpy(words->text + words->size, text, size);
	words->size += size;
}

void words_end(struct words *words)
{
	words_add(words, "", 1);
}

char **words_take(struct words *words)
{
	size_t list_size = (words->count + 1) * sizeof(char *);
	char **list = words->failed ? NULL : malloc(list_size + words->size);

	if (list) {
		char *text = (char *)list + list_size;

		if (words->size)
			memcpy(text, words->text, words->size);
		for (size_t i = 0; i < words->count; i++)
			list[i] = text + words->starts[i];
		list[words->count] = NULL;
	}
	words_drop(words);
	return list;
}

void words_drop(struct words *words)
{
	free(words->text);
	*words = (struct words){0};
}
