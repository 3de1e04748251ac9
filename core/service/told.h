/* SPDX-License-Identifier: Apache-2.0
 *
 * told.h - the dispatch ids that a subscriber was told of and its cursor is not past yet, in order. [one thread]
 */
#ifndef CORE_SERVICE_TOLD_H
#define CORE_SERVICE_TOLD_H

#include <stdbool.h>
#include <stddef.h>

#define TOLD_MAX 32768u

/* Zeroed at first. */
struct told {
	char (*ids)[25];
	size_t count, room;
};

void told_fini(struct told *told);
bool told_has(const struct told *told, const char *id);
/* For how many of `count` more there is memory, and TOLD_MAX allows: told_add() will work for these. */
size_t told_reserve(struct told *told, size_t count);
/* False: out of memory, or TOLD_MAX are there. One that is there already changes nothing. `id` has 24 characters. */
bool told_add(struct told *told, const char *id);
/* Those up to `cursor`, itself included, are dropped. */
void told_forget(struct told *told, const char *cursor);

#endif
