/* SPDX-License-Identifier: Apache-2.0
 *
 * copy.h - copies a folder to another file system, and flushes one. No link is followed, none is copied.
 */
#ifndef CLI_PROVISION_COPY_H
#define CLI_PROVISION_COPY_H

/* Copies files and folders with their modes and owners, everything flushed. 0, or an errno; ELOOP: a link or something else that is
 * neither file nor folder. What was copied until then stays. */
int copy_folder(int from_parent, const char *from_name, int to_parent, const char *to_name);
/* Flushes every file and folder of it, as far as that works. */
void copy_flush(int parent, const char *name);

#endif
