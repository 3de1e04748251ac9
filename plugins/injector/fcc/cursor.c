/* SPDX-License-Identifier: Apache-2.0 */
#include "cursor.h"

#include <cbor/callbacks.h>
#include <cbor/streaming.h>

/* libcbor calls one of these for each item; all they do is write it down. */
static void put(void *item, enum item_kind kind, bool is_open, uint64_t number)
{
	*(struct item *)item = (struct item){.kind = kind, .is_open = is_open, .number = number};
}

static void on_uint8(void *item, uint8_t number)
{
	put(item, ITEM_NUMBER, false, number);
}

static void on_uint16(void *item, uint16_t number)
{
	put(item, ITEM_NUMBER, false, number);
}

static void on_uint32(void *item, uint32_t number)
{
	put(item, ITEM_NUMBER, false, number);
}

static void on_uint64(void *item, uint64_t number)
{
	put(item, ITEM_NUMBER, false, number);
}

static void on_text(void *item, cbor_data data, size_t size)
{
	*(struct item *)item = (struct item){.kind = ITEM_TEXT, .bytes = {.data = data, .size = size}};
}

static void on_bytes(void *item, cbor_data data, size_t size)
{
	*(struct item *)item = (struct item){.kind = ITEM_BYTES, .bytes = {.data = data, .size = size}};
}

static void on_array(void *item, size_t count)
{
	put(item, ITEM_ARRAY, false, count);
}

static void on_open_array(void *item)
{
	put(item, ITEM_ARRAY, true, 0);
}

static void on_map(void *item, size_t count)
{
	put(item, ITEM_MAP, false, count);
}

static void on_open_map(void *item)
{
	put(item, ITEM_MAP, true, 0);
}

static void on_chunks(void *item)
{
	put(item, ITEM_CHUNKS, true, 0);
}

static void on_tag(void *item, uint64_t number)
{
	put(item, ITEM_TAG, false, number);
}

static void on_break(void *item)
{
	put(item, ITEM_BREAK, false, 0);
}

bool cursor_next(struct cursor *cursor, struct item *ret_item)
{
	struct cbor_callbacks callbacks = cbor_empty_callbacks; /* what we do not name is ITEM_OTHER */
	struct cbor_decoder_result result;
	struct item item = {.kind = ITEM_OTHER};

	callbacks.uint8 = on_uint8;
	callbacks.uint16 = on_uint16;
	callbacks.uint32 = on_uint32;
	callbacks.uint64 = on_uint64;
	callbacks.string = on_text;
	callbacks.byte_string = on_bytes;
	callbacks.array_start = on_array;
	callbacks.indef_array_start = on_open_array;
	callbacks.map_start = on_map;
	callbacks.indef_map_start = on_open_map;
	callbacks.string_start = on_chunks;
	callbacks.byte_string_start = on_chunks;
	callbacks.tag = on_tag;
	callbacks.indef_break = on_break;
	if (cursor->failed || !cursor->left.size)
		return !(cursor->failed = true);
	result = cbor_stream_decode(cursor->left.data, cursor->left.size, &callbacks, &item);
	if (result.status != CBOR_DECODER_FINISHED || result.read == 0 || result.read > cursor->left.size)
		return !(cursor->failed = true);
	cursor->left.data += result.read;
	cursor->left.size -= result.read;
	*ret_item = item;
	return true;
}

static bool skip_next(struct cursor *cursor, unsigned depth)
{
	struct item item;

	return cursor_next(cursor, &item) && cursor_skip(cursor, &item, depth);
}

bool cursor_skip(struct cursor *cursor, const struct item *item, unsigned depth)
{
	struct span span;

	if (item->kind == ITEM_BREAK || (item->kind >= ITEM_ARRAY && depth == 0))
		return !(cursor->failed = true);
	if (item->kind == ITEM_TAG)
		return skip_next(cursor, depth - 1);
	if (!span_begin(&span, item, item->kind))
		return true;
	while (span_more(&span, cursor))
		if (!skip_next(cursor, depth - 1) || (item->kind == ITEM_MAP && !skip_next(cursor, depth - 1)))
			return !(cursor->failed = true);
	return !cursor->failed;
}

bool span_begin(struct span *span, const struct item *item, enum item_kind kind)
{
	if (item->kind != kind || kind < ITEM_ARRAY || kind > ITEM_CHUNKS)
		return false;
	*span = (struct span){.is_open = item->is_open, .left = item->number};
	return true;
}

bool span_more(struct span *span, struct cursor *cursor)
{
	static const uint8_t break_byte = 0xff;

	if (cursor->failed)
		return false;
	if (!span->is_open)
		return span->left && span->left--;
	if (cursor->left.size && *cursor->left.data == break_byte) {
		cursor->left.data++;
		cursor->left.size--;
		return false;
	}
	return true;
}
