/* SPDX-License-Identifier: Apache-2.0
 *
 * find.h - from the name of a plugin to an open file that may be trusted.
 */
#ifndef CORE_PLUGIN_FIND_H
#define CORE_PLUGIN_FIND_H

#include <pep/plugin.h>

/* Open NAME.so in the folder, for reading. The folder and the file must be owned by root or by this process's user and writable by
 * nobody else; the file must be a regular one and no link. A name is [a-z0-9_-]{1,32}, so it cannot lead out of the folder.
 * *ret_fd is the caller's. Every refusal is one line that names the file and the cure. [any thread] */
pep_status find_open(const char *folder, const char *name, int *ret_fd, struct pep_error *err);

/* The names of all files NAME.so in the folder, sorted; the caller calls find_free(). [any thread] */
pep_status find_all(const char *folder, char ***ret_names, size_t *ret_count, struct pep_error *err);
void find_free(char **names, size_t count);

#endif
