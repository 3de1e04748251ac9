/* SPDX-License-Identifier: Apache-2.0
 *
 * scarcity.h - lets one allocation fail, whoever in the process makes it.
 *
 * A program that links this has a malloc(), calloc() and realloc() of its own, which stand before those of the C library, for the
 * plugin and the libraries below it, too.
 */
#ifndef CONFORMANCE_SCARCITY_H
#define CONFORMANCE_SCARCITY_H

#include <stdbool.h>

/* false: this build has an allocator that cannot be put behind ours (a sanitizer's). [any thread] */
bool scarcity_works(void);
/* From now on the n-th allocation of this thread fails, counted from 1, while scarcity_enter() is in force; 0: none. */
void scarcity_set(unsigned n);
/* true if it was reached. */
bool scarcity_reached(void);
/* Count only what happens between these two; they do not nest. */
void scarcity_enter(void);
void scarcity_leave(void);

#endif
