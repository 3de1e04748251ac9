/* SPDX-License-Identifier: Apache-2.0
 *
 * identity_json.h - a deployed identity as the JSON object of the v3 API, and who provisioned it.
 */
#ifndef CORE_API_IDENTITY_JSON_H
#define CORE_API_IDENTITY_JSON_H

#include "core/base/arena.h"
#include "core/base/buffer.h"

#include <pep/identity.h>

/* Without `_id` it is the answer to /identity, with it a result of /enrollment-ids. Never the verification key. */
void identity_json(struct buffer *buffer, const struct pep_identity *id, bool with_dispatch_id);

/* The name of the server that provisioned it, for the header Pep-Server. NULL: the record does not say, or out of memory. */
const char *identity_server(struct arena *arena, const struct pep_identity *id);

#endif
