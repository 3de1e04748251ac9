/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h - the table and its indexes: made, checked, and brought up to this version.
 */
#ifndef PLUGINS_STORAGE_SQLITE_SCHEMA_H
#define PLUGINS_STORAGE_SQLITE_SCHEMA_H

#include <pep/plugin.h>
#include <sqlite3.h>

/* PRAGMA user_version of a file that this source makes; application_id is "pep3". */
#define SCHEMA_VERSION 2
#define SCHEMA_APPLICATION_ID 0x70657033

/* How many of the unique indexes are there; the promise of one winner hangs on them. */
#define SCHEMA_UNIQUE_COUNT 3
#define SCHEMA_COUNT_UNIQUE                                                                \
	"SELECT count(*) FROM pragma_index_list('identity') WHERE \"unique\" AND name IN " \
	"('identity_serial', 'identity_enrollment', 'identity_dispatch')"

/* The writing connection's first steps: is this a store, is it sound, write-ahead log on, steps to this version.
 * `check`: look at every page (about a second per gigabyte). PEP_INVALID: another program's file or a newer version's.
 * PEP_INTERNAL: damaged. */
pep_status schema_open(sqlite3 *db, const char *path, bool check, struct pep_error *err);

#endif
