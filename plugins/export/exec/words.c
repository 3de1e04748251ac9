/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <stdlib.h>
#include <string.h>

char **words_split(const char *text)
{
	size_t list_size = (WORDS_MAX + 1) * sizeof(char *), size = strlen(text) + 1, count = 0;
	char **list = malloc(list_size + size);
	char *next;

	if (!list)
		return NULL;
	next = (char *)list + list_size;
	memcpy(next, text, size);
	for (next += strspn(next, " "); *next; next += strspn(next, " ")) {
		if (count == WORDS_MAX) {
			free(list);
			return NULL;
		}
		list[count++] = next;
		next += strcspn(next, " ");
		if (*next)
			*next++ = '\0';
	}
	list[count] = NULL;
	return list;
}
