/* SPDX-License-Identifier: Apache-2.0
 *
 * trouble.h - what the handlers that change something have in common: their body, their audit, and what they say of a failure.
 */
#ifndef CORE_API_TROUBLE_H
#define CORE_API_TROUBLE_H

#include "core/api/api.h"

#include <jansson.h>

/* A failure of the store or of memory, as a reply; the log has its words. PEP_NOT_FOUND, PEP_CONFLICT, PEP_LIMIT and PEP_UNSUPPORTED are
 * told in the words of *err. [any thread] */
void trouble_reply(const struct http_request *request, struct http_reply *reply, pep_status status, const struct pep_error *err);

/* The body: a JSON object with no member but `names` (ended by NULL). False: the reply says what is wrong. The caller's. [any thread] */
bool trouble_body(const struct http_request *request, const char *const *names, json_t **ret_object, struct http_reply *reply);
/* A member that must be 1 to `limit` printable bytes; NULL: the reply says so. Belongs to the object. [any thread] */
const char *trouble_text(const struct http_request *request, const json_t *object, const char *name, size_t limit,
			 struct http_reply *reply);

/* Who does what, on disk before it is done. `event` is taken over, and gets actor and request id; NULL: out of memory. False: it must not
 * be done; the reply says so. [any thread] */
bool trouble_audit(const struct api_context *api, const struct http_request *request, json_t *event, struct http_reply *reply);

/* The object as the body; NULL: out of memory. Takes it over. [any thread] */
void trouble_json(const struct http_request *request, struct http_reply *reply, unsigned status, json_t *object);

#endif
