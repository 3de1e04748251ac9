/* SPDX-License-Identifier: Apache-2.0
 *
 * file.h - files that are replaced whole: written beside the old one, flushed, then swapped in, several at once or none.
 *
 * Every function that can fail returns an exit code and fills *err. A file that was begun is the caller's until file_drop(), which
 * leaves nothing behind but what was swapped in.
 */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include "cli/exit.h"

#include <stddef.h>
#include <sys/types.h>

struct file;

/* Whether `path` could be written now: a new or a regular file that may be written, in a folder that takes one. */
int file_check(const char *path, struct failure *err);
/* A temporary file in the folder of `path` (of the file that it leads to, if it is a link). `mode` for a new file, before the
 * umask; an old file's mode is kept. */
int file_begin(const char *path, mode_t mode, struct file **ret_file, struct failure *err);
int file_write(struct file *file, const void *data, size_t size, struct failure *err);
/* Flushes the contents of every file, then puts them in their places and flushes the folders. Fails before the first is in its
 * place, or takes it back: then all is as before. (On a file system that can neither exchange nor link, only a single file has
 * that promise.) The old contents are kept beside until the next two. */
int file_swap(struct file **files, size_t count, struct failure *err);
/* After file_swap(): gives the places back to the old contents. */
void file_undo(struct file **files, size_t count);
/* After file_swap(): lets go of the old contents. */
void file_keep(struct file **files, size_t count);
/* NULL: nothing. */
void file_drop(struct file **file);

/* All at once, mode 0600, folder included: for one's own notes. */
int file_save_private(const char *path, const void *data, size_t size, struct failure *err);
/* The whole file, with a NUL behind it, if it is a regular file of at most `limit` bytes that nobody but us can have written.
 * 0, or the errno; ENOENT: none. The caller frees it. */
int file_load_private(const char *path, size_t limit, char **ret_data, size_t *ret_size);
/* The real path of the folder that the file is in. The caller frees it; NULL: errno says why. */
char *file_folder(const char *path);
/* Flushes a folder's entries. */
void file_flush_folder(const char *folder);

#endif
