/* SPDX-License-Identifier: Apache-2.0
 *
 * profile.h - what identity.json says: the server's reply as it is, with the names that today's gateway software reads, or by a template.
 * [any thread]
 */
#ifndef CLI_PROVISION_PROFILE_H
#define CLI_PROVISION_PROFILE_H

#include "cli/exit.h"

#include <jansson.h>
#include <stddef.h>

struct profile {
	const char *name;              /* "legacy", "edge" or "custom" */
	const char *k8s_address;       /* of edge: NULL: made of the gateway services' address */
	const char *container_address; /* likewise */
	json_t *template;              /* of custom; NULL otherwise; the profile's until profile_fini() */
};

/* Reads the template of a custom profile, an object whose texts may hold ${FIELD}. EXIT_CONFIGURATION: it cannot be read, is no JSON
 * object, or names a field that there is not. Also when `file` is given without custom, or missing with it. */
int profile_load(const char *name, const char *file, struct profile *ret_profile, struct failure *err);
void profile_fini(struct profile *profile);
/* The text of identity.json for a reply of the server, which is an object. A template's text that is one ${FIELD} alone takes the
 * field's value and kind; a member whose field is absent is left out. EXIT_SERVER: it cannot be made. The caller frees it. */
int profile_make(const struct profile *profile, const void *reply, size_t size, char **ret_text, struct failure *err);

#endif
