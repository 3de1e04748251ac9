/* SPDX-License-Identifier: Apache-2.0
 *
 * store.h - what a gateway keeps: named items in memory, and a file for each if a folder was given. For one thread at a time.
 */
#ifndef FCC_SIM_STORE_H
#define FCC_SIM_STORE_H

#include "fcc-sim/span.h"

enum { STORE_PARTS_MAX = 5 }; /* certificates in a chain */

/* Each kind has names of its own. */
enum store_kind {
	STORE_PARAMETER,
	STORE_PRIVATE_KEY,
	STORE_PUBLIC_KEY,
	STORE_CERTIFICATE, /* or a chain, leaf first */
};

struct store_item {
	struct store_item *next;
	enum store_kind kind;
	size_t part_count; /* 1, of a chain 1 to 5 */
	struct span parts[STORE_PARTS_MAX];
	struct span name; /* checked by store_check_name(): fit for a file name */
	uint8_t room[];
};

struct store {
	struct store_item *items; /* in the order of arrival */
	struct store_item **last;
	size_t item_count, total_size;
	int folder_fd; /* -1: memory only */
};

enum store_verdict {
	STORE_GOOD,
	STORE_NAME_EMPTY,
	STORE_NAME_INVALID,
	STORE_NAME_TOO_LONG,
	STORE_EXISTS,
	STORE_FAILED, /* no memory, no room, the file cannot be written */
};

/* `folder` NULL: memory only; it is made if it is not there, and its parent must be. False: errno says why. */
bool store_open(struct store *store, const char *folder);
void store_close(struct store *store);
/* Forgets every item, and removes the files that items have; others stay. */
void store_erase(struct store *store);

/* 1 to 100 characters of 0-9 A-Z a-z . - _ */
enum store_verdict store_check_name(struct span name);
/* Copies all that is given. */
enum store_verdict store_add(struct store *store, enum store_kind kind, struct span name, const struct span *parts,
			     size_t part_count);
/* NULL: there is none. Lives until the store is erased or closed. */
const struct store_item *store_find(const struct store *store, enum store_kind kind, struct span name);
const struct store_item *store_find_text(const struct store *store, enum store_kind kind, const char *name);

/* "param", "key", "pub", "crt": the end of its file's name. */
const char *store_kind_name(enum store_kind kind);

#endif
