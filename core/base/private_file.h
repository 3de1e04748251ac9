/* SPDX-License-Identifier: Apache-2.0
 *
 * private_file.h - may a secret be taken from this file, or have others had a chance to read or replace it?
 */
#ifndef CORE_BASE_PRIVATE_FILE_H
#define CORE_BASE_PRIVATE_FILE_H

#include <sys/stat.h>

/* Why not, and what to do, for the end of a sentence; NULL: it may. Its owner must be this process's user or root, and nobody else may
 * have a right to it; but the group may read a file of root's: so are systemd's credentials (an access list shows as the group's
 * rights), and files that an administrator lends to one service (root:pep, 0640). To be asked of the open file. [any thread] */
const char *private_file_fault(const struct stat *about);

#endif
