/* SPDX-License-Identifier: Apache-2.0
 *
 * selection.h - which records of the store an export takes.
 */
#ifndef CORE_SERVICE_SELECTION_H
#define CORE_SERVICE_SELECTION_H

#include "core/base/text.h"

#include <pep/storage.h>

struct selection {
	/* What the store narrows by itself; its `limit` is 0: what it returns is not yet what we take. */
	struct pep_scan_query query;
	const char *category, *station; /* NULL: any. They are looked for in what the scan returns: no index is worth it */
	uint32_t limit;                 /* at most so many; 0: all */
};

static inline bool selection_takes(const struct selection *selection, const struct pep_identity *id)
{
	return (!selection->category || text_equal(selection->category, id->category)) &&
	       (!selection->station || text_equal(selection->station, id->station));
}

#endif
