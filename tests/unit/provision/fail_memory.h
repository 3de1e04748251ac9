/* SPDX-License-Identifier: Apache-2.0
 *
 * fail_memory.h - lets the nth allocation of the program under test fail: malloc, calloc, realloc and strdup by the linker's --wrap;
 * those of jansson, too, as core/base/json.c sends them through malloc(). One thread.
 */
#ifndef TESTS_UNIT_PROVISION_FAIL_MEMORY_H
#define TESTS_UNIT_PROVISION_FAIL_MEMORY_H

#include <stdbool.h>

/* From now on the nth allocation fails; 0: none. With `for_good` all that follow fail, too. */
void fail_memory_at(unsigned nth, bool for_good);
/* Ends it. True: one was reached, and failed. */
bool fail_memory_end(void);

#endif
