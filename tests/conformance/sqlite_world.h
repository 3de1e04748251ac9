/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlite_world.h - a store of the sqlite plugin in a folder of its own, and many threads that write to it.
 */
#ifndef CONFORMANCE_SQLITE_WORLD_H
#define CONFORMANCE_SQLITE_WORLD_H

#include "sqlite_place.h"
#include "storage_driver.h"

#include <stdatomic.h>

#define SQLITE_WRITER_COUNT 16u

struct sqlite_world {
	char folder[SQLITE_PLACE_SIZE], path[SQLITE_PLACE_SIZE + 32];
	union pep_value values[SQLITE_OPTION_COUNT];
	struct storage_facts facts;
	struct store_driver driver;
};

/* Open the store at `path`, or, for NULL, a new one in a new folder. Ends the program if that fails. */
struct sqlite_world *sqlite_world_new(const char *path);
/* Close it; remove the folder if it was made. */
void sqlite_world_free(struct sqlite_world *world);

/* Insert (revision 0) or update a record. [any thread, as the next] */
pep_status sqlite_world_write(struct store_driver *driver, const char *serial, int64_t revision, const char *history);
/* 0: there is none. */
int64_t sqlite_world_revision(struct store_driver *driver, const char *serial);

/* What the plugin has said is stored: fits into one atomic write to a pipe. */
struct sqlite_promise {
	uint32_t serial; /* "GW-%06u" */
	int32_t revision;
};

/* SQLITE_WRITER_COUNT threads, each with a life of three revisions for each of its own serials. */
struct sqlite_writers {
	struct store_driver *driver;
	const char *history;   /* of each record */
	unsigned insert_count; /* serials for each thread */
	int report;            /* a pipe for promises; -1: none */
	atomic_uint failed;
};
void sqlite_writers_run(struct sqlite_writers *all);

#endif
