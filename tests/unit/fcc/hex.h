/* SPDX-License-Identifier: Apache-2.0
 *
 * hex.h - recorded bytes out of their hex.
 */
#ifndef TEST_FCC_HEX_H
#define TEST_FCC_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The bytes, in memory of their exact size, so that a sanitizer sees one too far; the caller's. Ends the program on bad hex. */
static inline uint8_t *hex_bytes(const char *hex, size_t *ret_size)
{
	static const char digits[] = "0123456789abcdef";
	size_t size = strlen(hex) / 2;
	uint8_t *bytes = malloc(size ? size : 1);

	for (size_t i = 0; bytes && i < size; i++) {
		const char *high = strchr(digits, hex[2 * i]), *low = strchr(digits, hex[2 * i + 1]);

		if (!high || !low)
			abort();
		bytes[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	if (!bytes)
		abort();
	*ret_size = size;
	return bytes;
}

#endif
