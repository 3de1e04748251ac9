/* SPDX-License-Identifier: Apache-2.0
 *
 * tree.h - removes, moves and looks at folders, and never leaves the place that it was told: below a spot's base no symbolic link is
 * followed, and no other file system is entered.
 *
 * Every change is flushed before it is reported. Functions that can fail return an exit code and fill *err.
 */
#ifndef CLI_PROVISION_TREE_H
#define CLI_PROVISION_TREE_H

#include "cli/exit.h"

#include <stdbool.h>

/* A file or folder. Both texts are the owner's. */
struct spot {
	char *base; /* absolute path of a folder; links in it are followed */
	char *rel;  /* below it, without "." and ".." and without a link; not empty */
};

/* False: out of memory, or `rel` is no such path. Leading and double slashes are dropped. */
bool spot_make(const char *base, const char *rel, struct spot *ret_spot);
void spot_fini(struct spot *spot);
/* base/rel. The caller frees it. NULL: out of memory. */
char *spot_path(const struct spot *spot);

/* Removes a file or a whole folder. What is not there is no failure. A link in its place, or on the way to it, is refused. It is renamed
 * first, so a kill leaves the whole or nothing of that name. */
int tree_remove(const struct spot *spot, bool *ret_was_there, struct failure *err);
/* Whether tree_remove() would refuse it: EXIT_OK, also for what is not there. Changes nothing. */
int tree_check(const struct spot *spot, struct failure *err);
/* Flushes every file and folder of it, as far as that works. */
void tree_flush(const struct spot *spot);
/* Makes the folders above a spot, mode 0755; or the spot too, as a folder of mode 0700. */
int tree_make_parents(const struct spot *spot, struct failure *err);
int tree_make(const struct spot *spot, struct failure *err);
/* Gives a folder another place, on another file system too; what is there is replaced. A kill leaves the old place whole, or the new one. */
int tree_move(const struct spot *from, const struct spot *to, struct failure *err);
/* Whether there is a folder with something in it; `inner`, if not NULL: with a folder of that name. */
bool tree_is_filled(const struct spot *spot, const char *inner);

/* A folder of the spot, or of its parents, for openat(). -1: errno; ELOOP, ENOTDIR: a link or a file is in the way. */
int tree_open(const struct spot *spot);

#endif
