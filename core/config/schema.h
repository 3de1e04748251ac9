/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h - the server's own keys: one table that drives reading, defaults, --print-config and the manual's test.
 */
#ifndef CORE_CONFIG_SCHEMA_H
#define CORE_CONFIG_SCHEMA_H

#include "core/config/config.h"

enum schema_type {
	SCHEMA_TEXT,     /* printable text; min and max: bytes */
	SCHEMA_HOST,     /* [A-Za-z0-9._-]{1,64}; default: this host's name */
	SCHEMA_ADDRESS,  /* a numeric IPv4 or IPv6 address */
	SCHEMA_URL,      /* http:// or https://; min and max: bytes */
	SCHEMA_PATH,     /* a file or folder; min and max: bytes */
	SCHEMA_PATTERN,  /* a POSIX extended regular expression, may be absent */
	SCHEMA_PORT,     /* uint16_t */
	SCHEMA_COUNT,    /* unsigned */
	SCHEMA_SPAN,     /* int64_t of milliseconds, written with a unit; min and max in milliseconds */
	SCHEMA_BOOL,     /* true, false */
	SCHEMA_CHOICE,   /* one of some words: an int or an enum */
	SCHEMA_NETWORKS, /* a list of address ranges */
};

struct schema_choice {
	const char *word; /* NULL ends the list */
	int value;
};

struct schema_key {
	const char *section, *name;
	enum schema_type type;
	const char *fallback; /* as written in a file, lists with commas; NULL: none, or computed */
	int64_t min, max;
	const struct schema_choice *choices;
	size_t offset;       /* of its member in struct config */
	size_t count_offset; /* of networks: of the member that counts them */
	const char *help;    /* one line */
};

/* The table, in the order of the file. [any thread] */
extern const struct schema_key schema_keys[];
extern const size_t schema_count;

/* NULL: there is no such key. [any thread] */
const struct schema_key *schema_find(const char *section, const char *name);
/* The sections that the table has keys of, and those of plugins; a NULL ends the list. */
extern const char *const schema_sections[];

#endif
