/* SPDX-License-Identifier: Apache-2.0
 *
 * arguments.h - the arguments of a request: a closed list per route, each at most once.
 */
#ifndef CORE_API_ARGUMENTS_H
#define CORE_API_ARGUMENTS_H

#include "core/http/reply.h"
#include "core/http/request.h"

#include <stdbool.h>

/* Every query argument is in `names` (ended by NULL) and none is there twice, and there is no body; else the reply is 400 and false
 * is returned. */
bool arguments_check(const struct http_request *request, const char *const *names, struct http_reply *reply);
/* The value of an argument; NULL: absent or empty. */
const char *arguments_value(const struct http_request *request, const char *name);

/* Where a walk goes on: 24 hex digits in lower case, as ids are stored, in the request's arena; NULL: absent or empty. False: the
 * reply says what is wrong. `what` is what the argument should be, for people. */
bool arguments_id(const struct http_request *request, struct http_reply *reply, const char *name, const char *what,
		  const char **ret_id);
/* The argument `last`: the _id of the last entry of the page before. */
bool arguments_last(const struct http_request *request, struct http_reply *reply, const char **ret_last);

#endif
