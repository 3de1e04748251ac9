/* SPDX-License-Identifier: Apache-2.0
 *
 * member.h - one JSON object (RFC 8259), written member by member into memory of the caller's.
 *
 * The output is valid JSON whatever a text holds: what is not UTF-8 becomes U+FFFD. What does not fit is remembered, so that a
 * writer looks once at the end. `key` is written as it is: it must need no escapes.
 */
#ifndef JSON_MEMBER_H
#define JSON_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object {
	char *next, *end; /* free room */
	bool any;         /* a member has been written */
	bool full;        /* something did not fit; stays so */
};

/* As it is. */
void member_bytes(struct json_object *object, const char *bytes, size_t size);
/* NULL, in this and the next: no member. */
void member_text(struct json_object *object, const char *key, const char *text);
/* "1,2,3" as [1,2,3]; a text that is no list of numbers 0 to 255 as a string. */
void member_bytes_list(struct json_object *object, const char *key, const char *text);
void member_number(struct json_object *object, const char *key, int64_t number);
void member_bool(struct json_object *object, const char *key, bool value);

#endif
