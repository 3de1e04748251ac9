/* SPDX-License-Identifier: Apache-2.0
 *
 * object.h - a record as a JSON object, with the members that GET /v3/enrollment-ids gives. Shared by json and jsonl.
 */
#ifndef JSON_OBJECT_H
#define JSON_OBJECT_H

#include "member.h"

#include <pep/identity.h>

/* From brace to brace, into an object of which nothing has been written. */
void object_write(struct json_object *object, const struct pep_identity *id);

#endif
