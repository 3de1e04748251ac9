/* SPDX-License-Identifier: Apache-2.0
 *
 * roster.h - all who are let in: the file of tokens as a whole.
 */
#ifndef CORE_ACCESS_ROSTER_H
#define CORE_ACCESS_ROSTER_H

#include "core/access/entry.h"

#define ROSTER_COUNT_MAX 1024u /* entries: every request that has a token looks at them all */

struct roster {
	struct arena arena; /* owns what the entries point to */
	struct access_entry *entries;
	size_t count;
};

/* `text` is that of the file `path`: an entry a line; empty lines are skipped. Names may repeat, ids and digests may not. The error
 * says "PATH:LINE: what". The caller calls roster_free(). [any thread] */
pep_status roster_parse(const char *path, const char *text, size_t size, struct roster **ret_roster, struct pep_error *err);
/* The file at `path`, which nobody but its owner may have rights to; PEP_NOT_FOUND: it is not there. The messages say what to do.
 * [any thread] */
pep_status roster_read(const char *path, struct roster **ret_roster, struct pep_error *err);
/* NULL is fine. */
void roster_free(struct roster *roster);

/* Who has this digest; NULL: nobody. Takes as long whoever it is, and whether or not it is anybody. [any thread] */
const struct access_entry *roster_find(const struct roster *roster, const char *digest, bool is_certificate);

/* A new entry, all zero, at the end, for the caller to fill. NULL: out of memory, or there are ROSTER_COUNT_MAX. */
struct access_entry *roster_append(struct roster *roster);
void roster_remove(struct roster *roster, size_t i);

#endif
