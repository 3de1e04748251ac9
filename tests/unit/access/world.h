/* SPDX-License-Identifier: Apache-2.0
 *
 * world.h - a folder with a file of tokens in it, and the configuration that names it.
 */
#ifndef TESTS_UNIT_ACCESS_WORLD_H
#define TESTS_UNIT_ACCESS_WORLD_H

#include "core/access/access.h"

#include <stdio.h>

/* These four are in the file; what they may do says the call that puts them there. */
#define TOKEN(digit_) "pep_0000000" digit_ "_" WORLD_SECRET
#define WORLD_SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct world {
	char folder[64];
	struct config config; /* closed: listens on every address; any number of requests */
	FILE *file;           /* while the file is being written */
	struct access *access;
};

void world_make(struct world *world);
/* A line for a token, `more` being the rest of its members: ,"networks":["::1"] */
void world_add_token(struct world *world, const char *token, const char *name, const char *kind, const char *scopes,
		     const char *more);
/* Any line. */
void world_add_line(struct world *world, const char *line);
/* The file is whole. */
void world_end_file(struct world *world);
/* The file is to be written anew. */
void world_begin_file(struct world *world);
/* access_open(), which must succeed. */
void world_open(struct world *world);
void world_destroy(struct world *world);

#endif
