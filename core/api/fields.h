/* SPDX-License-Identifier: Apache-2.0
 *
 * fields.h - the fields of a request to provision: from names and texts to a typed, checked record.
 */
#ifndef CORE_API_FIELDS_H
#define CORE_API_FIELDS_H

#include "core/api/api.h"
#include "core/service/provision.h"

/* Check every pair, fill in defaults and the digest. `pairs` came from the query or from a JSON body. False: the reply says which
 * field is at fault and what it should be. Texts of *ret_request live as long as the request. */
bool fields_parse(const struct api_context *api, const struct http_request *request, const struct http_pair *pairs,
		  size_t pair_count, struct provision_request *ret_request, struct http_reply *reply);

/* NULL: the value may stand in this field, alone; or what it should be, for ever. A name that is no field's of a text: "no such field".
 * [any thread] */
const char *fields_check(const struct api_context *api, const char *name, const char *value);

#endif
