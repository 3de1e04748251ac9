/* SPDX-License-Identifier: Apache-2.0
 *
 * roster_file.h - changes the file of tokens: one change at a time, and whoever reads it sees all of it or none.
 */
#ifndef CORE_ACCESS_ROSTER_FILE_H
#define CORE_ACCESS_ROSTER_FILE_H

#include "core/access/roster.h"

#include <sys/stat.h>

struct roster_file {
	char *path;
	int fd; /* of the file as it is; holds the lock */
	struct stat about;
	struct roster *roster; /* what is in it, for the caller to change */
};

/* Waits until nobody else changes it. `owner_like`: NULL, then it must be there; otherwise it is made if it is not, with mode 0600, and
 * belongs to whom this folder belongs to if we may give it away: root makes it for the server's user. Root may change a file of anybody's.
 * After any result the caller calls roster_file_close(). [one thread] */
pep_status roster_file_open(const char *path, const char *owner_like, struct roster_file *ret_file, struct pep_error *err);
/* The roster takes the place of what was in the file, and is on disk when this returns. Once. */
pep_status roster_file_write(struct roster_file *file, struct pep_error *err);
void roster_file_close(struct roster_file *file);

#endif
