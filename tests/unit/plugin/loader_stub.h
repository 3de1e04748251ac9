/* SPDX-License-Identifier: Apache-2.0
 *
 * loader_stub.h - in place of loader and options: the plugin is the table that a test gives.
 */
#ifndef TESTS_UNIT_PLUGIN_LOADER_STUB_H
#define TESTS_UNIT_PLUGIN_LOADER_STUB_H

#include "core/plugin/library.h"

#include <stdbool.h>

/* What the next loader_load() returns. The test owns it. */
extern struct library stub_library;
/* The next loader_load(), the next options_read() fails. */
extern bool stub_load_fails, stub_options_fail;
/* Values that were read and not freed. */
extern int stub_options_open;

#endif
