/* SPDX-License-Identifier: Apache-2.0
 *
 * tail.h - the last bytes of a stream of any length. [one thread]
 */
#ifndef FCU_TAIL_H
#define FCU_TAIL_H

#include <stdbool.h>
#include <stddef.h>

enum { TAIL_SIZE = 16384 };

/* Zeroed at first. */
struct tail {
	size_t size;
	bool is_cut;              /* there was more before it */
	char data[2 * TAIL_SIZE]; /* the first `size` bytes; tail_end() leaves at most TAIL_SIZE */
};

void tail_feed(struct tail *tail, const char *data, size_t size);
/* The stream has ended. A line whose beginning is lost is dropped: half a secret would not be found in it. */
void tail_end(struct tail *tail);

#endif
