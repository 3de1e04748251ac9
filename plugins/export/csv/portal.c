/* SPDX-License-Identifier: Apache-2.0
 *
 * The bulk upload drops the first line whatever it says, takes the first value of each other one, and stops at the first that it
 * cannot read. So one wrong line must not come into a file.
 */
#include "profile.h"

#include <string.h>

#define PAIRS 32u

/* Upper case. */
static bool is_digit(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F');
}

/* "A-" and 32 pairs of upper case hex digits with colons between them. */
static bool is_enrollment_identity(const char *text)
{
	if (!text || text[0] != 'A' || text[1] != '-')
		return false;
	text += 2;
	for (unsigned pair = 1; pair <= PAIRS; pair++) {
		char end = pair < PAIRS ? ':' : '\0';

		if (!is_digit(text[0]) || !is_digit(text[1]) || text[2] != end)
			return false;
		text += 3;
	}
	return true;
}

static pep_status portal_check(const struct pep_identity *id, struct pep_error *err)
{
	if (id->state != PEP_DEPLOYED && id->state != PEP_RETIRED)
		return pep_fail(err, PEP_INVALID, 0,
				"serial %.64s is not deployed; export state=deployed (or retired, to delete them)", id->serial);
	if (!is_enrollment_identity(id->enrollment_id))
		return pep_fail(err, PEP_INVALID, 0,
				"serial %.64s has no enrollment identity that the portal would take (%.110s); look at its record",
				id->serial, id->enrollment_id ? id->enrollment_id : "none");
	return PEP_OK;
}

static void portal_write(struct csv_line *line, const struct pep_identity *id, bool is_guarded)
{
	(void)is_guarded; /* an enrollment identity begins with an A */
	quote_bytes(line, id->enrollment_id, strlen(id->enrollment_id));
	quote_bytes(line, "\r\n", 2);
}

const struct csv_profile csv_portal = {
	.name = "portal",
	.header = "enrollment_identity\r\n",
	.write = portal_write,
	.check = portal_check,
};
