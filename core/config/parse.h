/* SPDX-License-Identifier: Apache-2.0
 *
 * parse.h - YAML to a tree of texts, each with its place. It knows nothing of what the keys mean.
 *
 * A part of YAML 1.1 is enough for a configuration: maps, lists and texts. Anchors, aliases, tags, several documents and repeated
 * keys are refused, so that a file says what it seems to say.
 */
#ifndef CORE_CONFIG_PARSE_H
#define CORE_CONFIG_PARSE_H

#include "core/base/arena.h"
#include "core/config/config.h"

#define PARSE_FILE_LIMIT ((size_t)1024 * 1024) /* bytes of a file */

enum parse_kind { PARSE_TEXT, PARSE_MAP, PARSE_LIST };
struct parse_node {
	enum parse_kind kind;
	bool is_absent;   /* a text that is not there at all: "key:" and nothing behind it */
	const char *key;  /* in a map; else NULL */
	const char *text; /* of a PARSE_TEXT: UTF-8 without control characters */
	struct config_place key_place, place;
	struct parse_node *first, *next; /* what a map or list holds, in the file's order */
};

/* The root of a text's tree: always a map, empty for an empty text. `file` is its name for messages and must live as long as the
 * arena, which owns the tree. [any thread] */
pep_status parse_text(struct arena *arena, const char *file, const char *text, size_t size, struct parse_node **ret_root,
		      struct pep_error *err);
/* The same of a file (parse_file.c). PEP_NOT_FOUND: it cannot be read. */
pep_status parse_file(struct arena *arena, const char *path, struct parse_node **ret_root, struct pep_error *err);

/* What a map holds under a key; NULL: nothing. */
struct parse_node *parse_find(const struct parse_node *map, const char *key);

#endif
