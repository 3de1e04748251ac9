/* SPDX-License-Identifier: Apache-2.0
 *
 * widen.h - a struct from the other side of the border, which may be older (shorter) or newer (longer) than ours.
 */
#ifndef CORE_PLUGIN_WIDEN_H
#define CORE_PLUGIN_WIDEN_H

#include <stdint.h>
#include <string.h>

/* Copy what both sides know; what only ours has becomes zero. The first member, struct_size, is then ours. [any thread] */
static inline void widen(void *ours, size_t our_size, const void *theirs, size_t their_size)
{
	uint32_t struct_size = (uint32_t)our_size;

	memcpy(ours, theirs, their_size < our_size ? their_size : our_size);
	if (their_size < our_size)
		memset((char *)ours + their_size, 0, our_size - their_size);
	memcpy(ours, &struct_size, sizeof(struct_size));
}

#endif
