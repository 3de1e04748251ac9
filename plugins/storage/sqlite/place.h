/* SPDX-License-Identifier: Apache-2.0
 *
 * place.h - where the store's file is: its folder, its file system, and the lock that keeps a second server out.
 */
#ifndef PLUGINS_STORAGE_SQLITE_PLACE_H
#define PLUGINS_STORAGE_SQLITE_PLACE_H

#include <pep/plugin.h>
#include <sys/types.h>

struct place {
	char *path;   /* absolute, without symbolic links */
	int folder;   /* file descriptors; -1: none */
	int lock;     /* holds the flock on "PATH.lock" */
	dev_t device; /* of the file at `path` when it was opened */
	ino_t inode;
	int64_t size; /* of the file when it was opened */
	bool unclean; /* a write-ahead log was left behind: the last server did not stop in order */
};

/* Makes sure that `path` can hold a store, creates an empty file if there is none, and takes the lock.
 * PEP_INVALID: no such folder, no permission, a network file system. PEP_CONFLICT: another server has it. PEP_UNAVAILABLE: no
 * room, or the disk fails. The caller calls place_close() after success. */
pep_status place_open(const char *path, struct place *ret_place, struct pep_error *err);
/* Lets go of the lock. The side file stays: removing it would let two servers lock two different files. */
void place_close(struct place *place);

/* New names in the folder survive a loss of power from here on. */
pep_status place_sync(const struct place *place, struct pep_error *err);
/* PEP_UNAVAILABLE when the file was moved, deleted or replaced: what is written would be lost. [any thread] */
pep_status place_check_file(const struct place *place, struct pep_error *err);
/* Also PEP_UNAVAILABLE when it cannot be written, or there is no room. [any thread] */
pep_status place_check_room(const struct place *place, struct pep_error *err);

/* The name of a file system on which a write-ahead log is not safe, by statfs(2)'s f_type; NULL: a local one. */
const char *place_remote_name(unsigned long type);

#endif
