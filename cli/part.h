/* SPDX-License-Identifier: Apache-2.0
 *
 * part.h - one file of a folder: written as a .part, and renamed when it is complete. Its name does not change from one try to the
 * next, so that a killed try leaves nothing that the next does not take up. Only one process may work in the folder.
 */
#ifndef CLI_PART_H
#define CLI_PART_H

#include "cli/exit.h"

#include <stdbool.h>
#include <stdint.h>

/* A .part that is being written, or complete. */
struct part {
	char *path;   /* NULL: none */
	int fd;       /* -1: closed */
	int64_t size; /* bytes written */
	bool is_kept; /* part_drop() leaves the file */
};

/* Begins FOLDER/NAME-0007.part, empty, over what an earlier try has left. The caller's until part_drop(). */
int part_begin(const char *folder, const char *name, int64_t number, struct part *ret_part, struct failure *err);
int part_write(struct part *part, const void *data, size_t size, struct failure *err);
/* Flushed with its entry in the folder; no longer open. */
int part_complete(struct part *part, const char *folder, struct failure *err);
/* Removes the file, unless it is kept. A part that never began: {.fd = -1}. */
void part_drop(struct part *part);

/* Gives a complete part its name, FOLDER/NAME-0007.SUFFIX, which nothing else may have. A part that is not there has it already. */
int part_publish(const char *folder, const char *name, int64_t number, const char *suffix, struct failure *err);

/* All of a small file, its mode 0600, replaced at once; it is PATH.part before. */
int part_save(const char *path, const void *data, size_t size, struct failure *err);

#endif
