/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void told_fini(struct told *told)
{
	free(told->ids);
	*told = (struct told){0};
}

/* How many are less than `id`. New ones are nearly always the greatest: looked at first. */
static size_t find(const struct told *told, const char *id)
{
	size_t low = 0, high = told->count;

	if (high && strcmp(told->ids[high - 1], id) < 0)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(told->ids[middle], id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool told_has(const struct told *told, const char *id)
{
	size_t at = find(told, id);

	return at < told->count && strcmp(told->ids[at], id) == 0;
}

size_t told_reserve(struct told *told, size_t count)
{
	size_t left = TOLD_MAX - told->count;

	if (count > left)
		count = left;
	if (told->room - told->count < count) {
		size_t room = 2 * told->room > told->count + count ? 2 * told->room : told->count + count;
		void *grown = realloc(told->ids, room * sizeof(*told->ids));

		if (!grown)
			return told->room - told->count;
		told->ids = grown;
		told->room = room;
	}
	return count;
}

bool told_add(struct told *told, const char *id)
{
	size_t at = find(told, id);

	if (at < told->count && strcmp(told->ids[at], id) == 0)
		return true;
	if (!told_reserve(told, 1))
		return false;
	memmove(told->ids + at + 1, told->ids + at, (told->count - at) * sizeof(*told->ids));
	(void)snprintf(told->ids[at], sizeof(told->ids[at]), "%s", id);
	told->count++;
	return true;
}

void told_forget(struct told *told, const char *cursor)
{
	size_t count = find(told, cursor);

	if (count < told->count && strcmp(told->ids[count], cursor) == 0)
		count++;
	if (!count)
		return;
	told->count -= count;
	memmove(told->ids, told->ids + count, told->count * sizeof(*told->ids));
}
