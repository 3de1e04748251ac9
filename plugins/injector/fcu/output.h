/* SPDX-License-Identifier: Apache-2.0
 *
 * output.h - finds the enrollment identity in what the tool prints, byte by byte as it comes, in constant memory.
 *
 * The tool prints "enrollment id: " and the identity somewhere in its output. An identity is "A-" and 32 pairs of hex digits with
 * colons, 97 characters, in either case; whatever else follows the words is malformed. [any thread; one scan in one thread]
 */
#ifndef FCU_OUTPUT_H
#define FCU_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

enum { OUTPUT_IDENTITY_SIZE = 97 };

/* What was found, in one stream or several. Zeroed by the caller. */
struct output_found {
	unsigned identities;                     /* different ones; 2 means more than one */
	bool malformed;                          /* the words came with something that is no identity */
	char identity[OUTPUT_IDENTITY_SIZE + 1]; /* the first one, in upper case; empty: none */
};

/* One stream. */
struct output_scan {
	struct output_found *found;
	size_t matched; /* bytes of the words before the identity */
	bool in_word;   /* behind those words */
	size_t size;    /* of `word`; over OUTPUT_IDENTITY_SIZE: too long, and not kept */
	char word[OUTPUT_IDENTITY_SIZE];
};

/* Exactly OUTPUT_IDENTITY_SIZE characters that are an identity, in either case. */
bool output_is_identity(const char *text, size_t size);

/* What is found goes to *found, which lives as long as the scan. */
void output_scan_init(struct output_scan *scan, struct output_found *found);
/* The next bytes, in pieces of any size. */
void output_scan_feed(struct output_scan *scan, const char *data, size_t size);
/* The stream has ended. */
void output_scan_end(struct output_scan *scan);

#endif
