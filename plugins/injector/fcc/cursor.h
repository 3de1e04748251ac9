/* SPDX-License-Identifier: Apache-2.0
 *
 * cursor.h - CBOR (RFC 8949) item by item, over libcbor's streaming decoder. Nothing is allocated; texts lie in the input.
 */
#ifndef FCC_CURSOR_H
#define FCC_CURSOR_H

#include "frame.h"

enum item_kind {
	ITEM_NUMBER, /* not negative */
	ITEM_TEXT,
	ITEM_BYTES,
	ITEM_ARRAY,
	ITEM_MAP,
	ITEM_CHUNKS, /* a string in pieces */
	ITEM_TAG,    /* of the item that follows */
	ITEM_BREAK,
	ITEM_OTHER, /* a single item of no interest: negative, float, boolean ... */
};

struct item {
	enum item_kind kind;
	bool is_open;      /* a collection that ends with a break */
	uint64_t number;   /* the number; of a collection how many items, of a map pairs */
	struct blob bytes; /* of ITEM_TEXT, ITEM_BYTES; data is never NULL */
};

/* What is left of the input. */
struct cursor {
	struct blob left;
	bool failed; /* not CBOR, or it ends too early; stays */
};

bool cursor_next(struct cursor *cursor, struct item *ret_item);
/* Pass over what belongs to an item that was read, up to `depth` levels of it. False: not CBOR, or deeper. */
bool cursor_skip(struct cursor *cursor, const struct item *item, unsigned depth);

/* What is to come of an array or map. */
struct span {
	bool is_open;
	uint64_t left;
};

/* False: the item is not such a collection. */
bool span_begin(struct span *span, const struct item *item, enum item_kind kind);
/* One more element or pair? False also where the cursor failed. */
bool span_more(struct span *span, struct cursor *cursor);

#endif
