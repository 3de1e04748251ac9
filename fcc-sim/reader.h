/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - walks through CBOR (RFC 8949) that may be hostile, without building a tree. No memory is allocated; depth is limited.
 */
#ifndef FCC_SIM_READER_H
#define FCC_SIM_READER_H

#include "fcc-sim/span.h"

enum { READER_DEPTH_MAX = 64 }; /* deeper is malformed */

struct reader {
	const uint8_t *next, *end;
};

enum reader_kind {
	READER_UINT,
	READER_NEGINT, /* number is n of -1 - n */
	READER_BYTES,
	READER_TEXT,
	READER_ARRAY,
	READER_MAP,
	READER_TAG,   /* number is the tag, inside holds the one item that it marks */
	READER_OTHER, /* float, bool, null, undefined */
	READER_BREAK, /* never given out */
};

struct reader_item {
	enum reader_kind kind;
	bool indefinite;
	uint64_t number;      /* of a container that is not indefinite: its items, of a map its pairs */
	struct span string;   /* of an indefinite string only the first chunk, as FCC reads it; points into what is read */
	struct reader inside; /* of a container or tag: what it holds */
};

/* The next item with all that is in it; the reader stands behind it afterwards. False: malformed, or the end. */
bool reader_take(struct reader *reader, struct reader_item *ret_item);
/* One well-formed item and nothing after it. */
bool reader_is_whole(const uint8_t *data, size_t size);

static inline bool reader_at_end(const struct reader *reader)
{
	return reader->next >= reader->end;
}

#endif
