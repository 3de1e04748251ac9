/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.h - the driver's errors in words, and what they mean for a write.
 */
#ifndef PLUGINS_STORAGE_MONGO_FAULT_H
#define PLUGINS_STORAGE_MONGO_FAULT_H

#include <mongoc/mongoc.h>
#include <pep/plugin.h>

/* Codes of the server: github.com/mongodb/mongo, src/mongo/base/error_codes.yml. */
enum { FAULT_DUPLICATE_KEY = 11000, FAULT_UNAUTHORIZED = 13, FAULT_INDEX_OPTIONS = 85, FAULT_INDEX_KEYS = 86 };

/* Fill *err: "cannot `doing` `what`: why", on one line, with what to do where that is known. Returns `status`. */
pep_status fault_fail(struct pep_error *err, pep_status status, const bson_error_t *error, const char *doing, const char *what);

/* Did nothing reach a server? */
bool fault_is_before_sending(const bson_error_t *error);
bool fault_is_password(const bson_error_t *error);

/* PEP_CONFLICT: refused by a unique index. PEP_UNAVAILABLE: nothing was sent. PEP_INVALID: the driver would not send it. Else PEP_UNKNOWN:
 * also an error of the server, because it may be the answer to a second try of the driver, whose first one was applied. */
pep_status fault_of_write(const bson_error_t *error);
/* What keeps the store from being opened: PEP_INVALID where waiting does not help. */
pep_status fault_of_start(const bson_error_t *error);

#endif
