/* SPDX-License-Identifier: Apache-2.0 */
#include "core/access/scope.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum http_scope bit;
} table[SCOPE_COUNT] = {
	{"provision", SCOPE_PROVISION}, {"read", SCOPE_READ},   {"export", SCOPE_EXPORT},
	{"operate", SCOPE_OPERATE},     {"audit", SCOPE_AUDIT},
};

const char *scope_name(size_t i)
{
	return table[i].name;
}

enum http_scope scope_bit(size_t i)
{
	return table[i].bit;
}

unsigned scope_read(const char *name, size_t size)
{
	for (size_t i = 0; i < SCOPE_COUNT; i++)
		if (strlen(table[i].name) == size && memcmp(table[i].name, name, size) == 0)
			return table[i].bit;
	return 0;
}

unsigned scope_read_list(const char *text)
{
	unsigned bits = 0;

	for (;;) {
		size_t size = strcspn(text, ",");
		unsigned bit = scope_read(text, size);

		if (!bit)
			return 0;
		bits |= bit;
		if (!text[size])
			return bits;
		text += size + 1;
	}
}

void scope_write_list(unsigned scopes, char ret_text[SCOPE_LIST_ROOM])
{
	size_t size = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; i < SCOPE_COUNT; i++)
		if (scopes & table[i].bit)
			size += (size_t)snprintf(ret_text + size, SCOPE_LIST_ROOM - size, "%s%s", size ? "," : "", table[i].name);
}
