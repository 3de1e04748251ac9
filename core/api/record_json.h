/* SPDX-License-Identifier: Apache-2.0
 *
 * record_json.h - a whole record as JSON, in whatever state it is.
 */
#ifndef CORE_API_RECORD_JSON_H
#define CORE_API_RECORD_JSON_H

#include <jansson.h>
#include <pep/identity.h>

/* Everything but the verification key, and what only the server itself uses; what is absent is left out, `history` is a list. The
 * caller's; NULL: out of memory. [any thread] */
json_t *record_json(const struct pep_identity *id);

#endif
