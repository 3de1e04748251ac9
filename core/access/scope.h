/* SPDX-License-Identifier: Apache-2.0
 *
 * scope.h - what one may be allowed to do, by name. The bits are enum http_scope (core/http/router.h). [any thread]
 */
#ifndef CORE_ACCESS_SCOPE_H
#define CORE_ACCESS_SCOPE_H

#include "core/http/router.h"

#define SCOPE_COUNT 5u
#define SCOPE_LIST_ROOM 64 /* bytes of all names with commas between, and a NUL */

/* The name of the i-th scope, and its bit. i < SCOPE_COUNT */
const char *scope_name(size_t i);
enum http_scope scope_bit(size_t i);
/* One name as its bit; 0: there is no such scope. `size` bytes. */
unsigned scope_read(const char *name, size_t size);
/* "provision,read" as bits; 0: one of them is none, or there are none. */
unsigned scope_read_list(const char *text);
/* The names, with commas between. */
void scope_write_list(unsigned scopes, char ret_text[SCOPE_LIST_ROOM]);

#endif
