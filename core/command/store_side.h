/* SPDX-License-Identifier: Apache-2.0
 *
 * store_side.h - a configuration whose storage a command works on while no server does.
 */
#ifndef CORE_COMMAND_STORE_SIDE_H
#define CORE_COMMAND_STORE_SIDE_H

#include "core/plugin/instance.h"
#include "core/service/spool.h"

struct store_side {
	const char *option;    /* how people call it: "--from" */
	struct config *config; /* owned */
	struct instance_context context;
	struct spool *spool;     /* holds the lock of the data folder; NULL: no folder, or another side holds it */
	unsigned waiting;        /* outcomes and attempts in the data folder that its next server has to settle */
	struct storage *storage; /* NULL until store_side_open() */
};

/* From here on SIGINT and SIGTERM only set a flag, which the plugins hear of and store_stopping() tells; new files are for their owner
 * alone. [main thread, before any other] */
void store_prepare(void);
bool store_stopping(void);

/* Each writes why to standard error and returns a COMMAND_ exit code; after any of them store_side_close() is the caller's to call.
 * [main thread, as all of these] */

/* Read the configuration, load the storage plugin. It needs no injector. `settings`: as of --set. */
int store_side_load(struct store_side *side, const char *option, const char *path, const char *const *settings,
		    size_t setting_count);
/* Make the data folder if it is not there, as the server does: its store may be below. */
int store_side_make_folder(const struct store_side *side);
/* Lock the data folder, so that none of its servers runs or starts. `other` (may be NULL) holds the lock if it is the same folder. */
int store_side_lock(struct store_side *side, const struct store_side *other);
int store_side_open(struct store_side *side);
void store_side_close(struct store_side *side);

/* Do both name the same plugin with the same options? false does not prove that the stores are two. */
bool store_side_same(const struct store_side *one, const struct store_side *other);

#endif
