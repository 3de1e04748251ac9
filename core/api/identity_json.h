/* SPDX-License-Identifier: Apache-2.0
 *
 * identity_json.h - a deployed identity as the JSON object of the v3 API.
 */
#ifndef CORE_API_IDENTITY_JSON_H
#define CORE_API_IDENTITY_JSON_H

#include "core/base/buffer.h"

#include <pep/identity.h>

/* Without `_id` it is the answer to /identity, with it a result of /enrollment-ids. Never the verification key. */
void identity_json(struct buffer *buffer, const struct pep_identity *id, bool with_dispatch_id);

#endif
