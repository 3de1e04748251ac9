/* SPDX-License-Identifier: Apache-2.0 */
#include "poison.h"

#include <stdlib.h>
#include <string.h>

/* The texts of a record are its last members, one after the other. */
#define TEXT_COUNT ((sizeof(struct pep_identity) - offsetof(struct pep_identity, serial)) / sizeof(const char *))

struct pep_identity *poison_copy(const struct pep_identity *id)
{
	struct pep_identity *copy = malloc(sizeof(*copy));
	const char **texts;

	if (!copy)
		return NULL;
	*copy = *id;
	texts = &copy->serial;
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		if (!texts[i])
			continue;
		texts[i] = strdup(texts[i]);
		if (!texts[i])
			abort();
	}
	return copy;
}

void poison_free(struct pep_identity *copy)
{
	const char **texts = &copy->serial;

	for (size_t i = 0; i < TEXT_COUNT; i++) {
		char *text = (char *)texts[i]; /* ours since poison_copy() */

		if (text)
			memset(text, 0xa5, strlen(text));
		free(text);
	}
	memset(copy, 0xa5, sizeof(*copy));
	free(copy);
}

void poison_fill(struct pep_identity *id, const char *text)
{
	const char **texts;

	*id = (struct pep_identity){
		.struct_size = sizeof(*id), .state = PEP_DEPLOYED, .revision = 1, .created_ms = 1, .deployed_ms = 2, .attempt = 1};
	texts = &id->serial;
	for (size_t i = 0; i < TEXT_COUNT; i++)
		texts[i] = text;
}
