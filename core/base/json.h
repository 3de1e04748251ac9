/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h - reads JSON, and says so when memory runs out.
 *
 * jansson (2.14) does not: when a text grows while it is read and there is no memory, a byte is left out, or the text counts as
 * invalid. A serial or an enrollment id that misses a byte would be another one. So everything in the server that reads JSON does it
 * here.
 */
#ifndef CORE_BASE_JSON_H
#define CORE_BASE_JSON_H

#include <pep/plugin.h>

#include <jansson.h>

/* One JSON value of `size` bytes; members that repeat and NUL inside a text are errors. *ret_json is the caller's, for json_decref().
 * PEP_INVALID: *err says what is wrong and where (line, column). PEP_NO_MEMORY. [any thread] */
pep_status json_parse_text(const char *text, size_t size, json_t **ret_json, struct pep_error *err);

#endif
