/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlite_place.h - a folder for the files of a test, and the options of the sqlite plugin for a file in it.
 */
#ifndef CONFORMANCE_SQLITE_PLACE_H
#define CONFORMANCE_SQLITE_PLACE_H

#include <pep/plugin.h>

#define SQLITE_PLACE_SIZE 256

/* Makes the folder; its name has room for SQLITE_PLACE_SIZE bytes. Ends the program if it cannot. */
void sqlite_place_init(char *ret_folder);
/* Removes it with what is in it. */
void sqlite_place_fini(const char *folder);
/* The answers to the plugin's options, for `path`, which is borrowed: four of them. */
void sqlite_place_values(const char *path, union pep_value *ret_values);
#define SQLITE_OPTION_COUNT 4

#endif
