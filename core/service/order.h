/* SPDX-License-Identifier: Apache-2.0
 *
 * order.h - what one production order says: who gets how many identities, which serials, when, and with which fields.
 *
 * It is written once and never changed, as the JSON text of a note; a list of serials stands in notes of its own. That an order is
 * closed is not part of it (core/service/orders.c).
 */
#ifndef CORE_SERVICE_ORDER_H
#define CORE_SERVICE_ORDER_H

#include "core/base/arena.h"

#include <jansson.h>
#include <pep/identity.h>
#include <regex.h>
#include <stdbool.h>

#define ORDER_ID_ROOM 17u       /* 16 hex digits and a NUL */
#define ORDER_NAME_MAX 64u      /* bytes */
#define ORDER_CUSTOMER_MAX 128u /* bytes */
#define ORDER_PATTERN_MAX 256u  /* bytes */
#define ORDER_SERIALS_MAX 100000u
#define ORDER_QUANTITY_MAX INT64_C(1000000000)

/* Fields of an identity that an order may decide: its profile. */
#define ORDER_FIELD_COUNT 7u
struct order_field {
	const char *name; /* as requests call it */
	size_t member;    /* of struct pep_identity */
};
extern const struct order_field order_fields[ORDER_FIELD_COUNT];

/* Texts belong to whoever made it. */
struct order {
	const char *name, *customer; /* customer: may be NULL */
	int64_t quantity;
	const char *pattern;  /* POSIX extended regular expression over the whole serial; NULL: the serials are listed */
	const char **serials; /* sorted bytewise, each once */
	size_t serial_count;
	int64_t from_ms, to_ms;                /* from <= now < to; 0: no limit */
	const char *fields[ORDER_FIELD_COUNT]; /* NULL: not decided */
	int64_t created_ms;
	const char *created_by;
};

/* [A-Za-z0-9._-]{1,64}, not beginning with a dot. [any thread] */
bool order_is_name(const char *text);
/* Compiles a pattern for order_matches(). False: it is none, or it would take too much; *ret_hint says why, for ever. */
bool order_compile(const char *pattern, regex_t *ret_regex, const char **ret_hint);
/* order_pattern.c: why it would take too much; NULL: it does not. Whether it is one at all is for regcomp() to say. */
const char *order_pattern_fault(const char *pattern);
bool order_matches(const regex_t *regex, const char *serial);
/* Is the serial in its list? */
bool order_lists(const struct order *order, const char *serial);
/* Sorts the list. Which serials stand in it twice is for the caller to look at. */
void order_sort(struct order *order);

/* Without its serials; NULL: out of memory. The caller's. */
json_t *order_to_json(const struct order *order);
/* Texts are copied into the arena. PEP_INVALID: this is none. */
pep_status order_from_json(struct arena *arena, const json_t *json, struct order *ret_order, struct pep_error *err);

#endif
