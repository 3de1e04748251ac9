/* SPDX-License-Identifier: Apache-2.0 */
#include "tail.h"

#include <string.h>

static void drop_front(struct tail *tail, size_t size)
{
	memmove(tail->data, tail->data + size, tail->size - size);
	tail->size -= size;
	tail->is_cut = true;
}

void tail_feed(struct tail *tail, const char *data, size_t size)
{
	while (size) {
		size_t room = sizeof(tail->data) - tail->size;
		size_t part = size < room ? size : room;

		memcpy(tail->data + tail->size, data, part);
		tail->size += part;
		data += part;
		size -= part;
		if (tail->size == sizeof(tail->data))
			drop_front(tail, TAIL_SIZE);
	}
}

void tail_end(struct tail *tail)
{
	const char *newline;

	if (tail->size > TAIL_SIZE)
		drop_front(tail, tail->size - TAIL_SIZE);
	if (!tail->is_cut)
		return;
	newline = memchr(tail->data, '\n', tail->size);
	drop_front(tail, newline ? (size_t)(newline + 1 - tail->data) : tail->size);
}
