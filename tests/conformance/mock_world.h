/* SPDX-License-Identifier: Apache-2.0
 *
 * mock_world.h - a folder for the mock gateways' file, and a reader of it.
 */
#ifndef CONFORMANCE_MOCK_WORLD_H
#define CONFORMANCE_MOCK_WORLD_H

#include "injector_suite.h"

/* The path of a new, empty gateways' file; lives until mock_world_fini(). NULL: no folder could be made. */
const char *mock_world_init(void);
/* Removes file and folder. */
void mock_world_fini(void);

/* What the file says about this gateway: for injector_facts.look. */
void mock_world_look(const char *serial, struct injector_view *ret_view);
/* How many lines it has. Ends the program if one is torn. */
size_t mock_world_count(void);

#endif
