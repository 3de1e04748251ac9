/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect.h - is a file that no server uses a whole and sound store?
 */
#ifndef PLUGINS_STORAGE_SQLITE_INSPECT_H
#define PLUGINS_STORAGE_SQLITE_INSPECT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSPECT_FAULT_SIZE 256

/* Reads every page and every index (about two seconds per gigabyte). false: *ret_fault has the reason, in a few words. */
bool inspect_store(sqlite3 *db, int64_t *ret_record_count, char ret_fault[INSPECT_FAULT_SIZE]);
/* The same for a file that nobody else has open; it needs no write-ahead log from then on. */
bool inspect_file(const char *path, int64_t *ret_record_count, char ret_fault[INSPECT_FAULT_SIZE]);

#endif
