/* SPDX-License-Identifier: Apache-2.0
 *
 * body.h - a JSON object as names and texts, so that GET and POST go through the same checks.
 */
#ifndef CORE_API_BODY_H
#define CORE_API_BODY_H

#include "core/http/reply.h"
#include "core/http/request.h"

#include <stdbool.h>

/* The members of the request's JSON object: texts as they are, whole numbers in digits, arrays of whole numbers with commas between.
 * Anything else, and a body that is no such object, is an error in the reply. `pairs` live as long as the request. */
bool body_parse(const struct http_request *request, struct http_pair **ret_pairs, size_t *ret_count, struct http_reply *reply);

#endif
