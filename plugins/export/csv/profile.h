/* SPDX-License-Identifier: Apache-2.0
 *
 * profile.h - the tables that this exporter can write. One file each: legacy.c, portal.c, inventory.c.
 */
#ifndef CSV_PROFILE_H
#define CSV_PROFILE_H

#include "quote.h"

#include <pep/exporter.h>

struct csv_profile {
	const char *name;
	const char *header; /* the first line, with its end */
	/* One line, with its end. `is_guarded`: as quote_guarded() says, where the profile is for people. */
	void (*write)(struct csv_line *line, const struct pep_identity *id, bool is_guarded);
	/* As check() of pep/exporter.h; NULL: every record can be written. */
	pep_status (*check)(const struct pep_identity *id, struct pep_error *err);
};

extern const struct csv_profile csv_legacy;    /* the columns and the quoting that readers of the original tool's file know */
extern const struct csv_profile csv_portal;    /* what the vendor's bulk upload takes: the enrollment identity alone */
extern const struct csv_profile csv_inventory; /* everything that a record tells, for people and their databases */

#endif
