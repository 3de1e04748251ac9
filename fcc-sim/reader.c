/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/reader.h"

#include <cbor/callbacks.h>
#include <cbor/streaming.h>

/* libcbor's decoder tells one head (of a string: head and bytes) at a time; these put it down. */
static void on_uint8(void *item, uint8_t number)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_UINT, .number = number};
}

static void on_uint16(void *item, uint16_t number)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_UINT, .number = number};
}

static void on_uint32(void *item, uint32_t number)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_UINT, .number = number};
}

static void on_uint64(void *item, uint64_t number)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_UINT, .number = number};
}

static void on_negint8(void *item, uint8_t number)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_NEGINT, .number = number};
}

static void on_negint16(void *item, uint16_t number)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_NEGINT, .number = number};
}

static void on_negint32(void *item, uint32_t number)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_NEGINT, .number = number};
}

static void on_negint64(void *item, uint64_t number)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_NEGINT, .number = number};
}

static void on_bytes(void *item, cbor_data data, size_t size)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_BYTES, .string = {data, size}};
}

static void on_bytes_start(void *item)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_BYTES, .indefinite = true};
}

static void on_text(void *item, cbor_data data, size_t size)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_TEXT, .string = {data, size}};
}

static void on_text_start(void *item)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_TEXT, .indefinite = true};
}

static void on_array(void *item, size_t count)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_ARRAY, .number = count};
}

static void on_array_start(void *item)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_ARRAY, .indefinite = true};
}

static void on_map(void *item, size_t count)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_MAP, .number = count};
}

static void on_map_start(void *item)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_MAP, .indefinite = true};
}

static void on_tag(void *item, uint64_t tag)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_TAG, .number = tag};
}

static void on_other(void *item)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_OTHER};
}

static void on_float(void *item, float number)
{
	(void)number;
	on_other(item);
}

static void on_double(void *item, double number)
{
	(void)number;
	on_other(item);
}

static void on_boolean(void *item, bool value)
{
	(void)value;
	on_other(item);
}

static void on_break(void *item)
{
	*(struct reader_item *)item = (struct reader_item){.kind = READER_BREAK};
}

static bool take_head(struct reader *reader, struct reader_item *ret_item)
{
	static const struct cbor_callbacks callbacks = {
		.uint8 = on_uint8,
		.uint16 = on_uint16,
		.uint32 = on_uint32,
		.uint64 = on_uint64,
		.negint8 = on_negint8,
		.negint16 = on_negint16,
		.negint32 = on_negint32,
		.negint64 = on_negint64,
		.byte_string = on_bytes,
		.byte_string_start = on_bytes_start,
		.string = on_text,
		.string_start = on_text_start,
		.array_start = on_array,
		.indef_array_start = on_array_start,
		.map_start = on_map,
		.indef_map_start = on_map_start,
		.tag = on_tag,
		.float2 = on_float,
		.float4 = on_float,
		.float8 = on_double,
		.undefined = on_other,
		.null = on_other,
		.boolean = on_boolean,
		.indef_break = on_break,
	};
	size_t size = (size_t)(reader->end - reader->next);
	struct cbor_decoder_result result;

	*ret_item = (struct reader_item){0};
	if (size == 0)
		return false;
	result = cbor_stream_decode(reader->next, size, &callbacks, ret_item);
	if (result.status != CBOR_DECODER_FINISHED || result.read == 0 || result.read > size)
		return false;
	reader->next += result.read;
	return true;
}

/* One open container while its end is looked for. */
struct level {
	enum reader_kind kind;
	bool indefinite, odd;
	uint64_t left;
};

static bool is_open(const struct reader_item *item)
{
	return item->kind == READER_ARRAY || item->kind == READER_MAP || item->kind == READER_TAG ||
	       ((item->kind == READER_BYTES || item->kind == READER_TEXT) && item->indefinite);
}

static bool open_level(const struct reader *reader, const struct reader_item *item, struct level *ret_level)
{
	uint64_t room = (uint64_t)(reader->end - reader->next);
	uint64_t left = item->kind == READER_TAG ? 1 : item->number;

	/* Every item takes a byte at least: a count that cannot be true is refused before it is doubled. */
	if (!item->indefinite && left > room)
		return false;
	*ret_level = (struct level){
		.kind = item->kind, .indefinite = item->indefinite, .left = item->kind == READER_MAP ? 2 * left : left};
	return true;
}

static bool fits_level(const struct level *level, const struct reader_item *item)
{
	if (level->kind == READER_BYTES || level->kind == READER_TEXT)
		return item->kind == level->kind && !item->indefinite;
	return true;
}

/* From behind the head of `outer` to its end, without recursion. `ret_end` is where its contents end: before the break, if any. */
static bool skip_inside(struct reader *reader, const struct reader_item *outer, struct span *ret_first_chunk,
			const uint8_t **ret_end)
{
	struct level levels[READER_DEPTH_MAX];
	size_t depth = 1;
	struct reader_item item;

	if (!open_level(reader, outer, &levels[0]))
		return false;
	while (depth > 0) {
		struct level *level = &levels[depth - 1];

		*ret_end = reader->next;
		if (!level->indefinite && level->left == 0) {
			depth--;
			continue;
		}
		if (!take_head(reader, &item))
			return false;
		if (item.kind == READER_BREAK) {
			if (!level->indefinite || (level->kind == READER_MAP && level->odd))
				return false;
			depth--;
			continue;
		}
		if (!fits_level(level, &item))
			return false;
		if (depth == 1 && !ret_first_chunk->data)
			*ret_first_chunk = item.string;
		level->odd = !level->odd;
		level->left--;
		if (is_open(&item) && (depth == READER_DEPTH_MAX || !open_level(reader, &item, &levels[depth++])))
			return false;
	}
	return true;
}

bool reader_take(struct reader *reader, struct reader_item *ret_item)
{
	struct reader rest = *reader;
	struct reader_item item;
	struct span first_chunk = {0};
	const uint8_t *end = NULL;

	if (!take_head(&rest, &item) || item.kind == READER_BREAK)
		return false;
	if (is_open(&item)) {
		item.inside.next = rest.next;
		if (!skip_inside(&rest, &item, &first_chunk, &end))
			return false;
		item.inside.end = end;
		if (item.kind == READER_BYTES || item.kind == READER_TEXT)
			item.string = first_chunk.data ? first_chunk : (struct span){item.inside.next, 0};
	}
	*reader = rest;
	*ret_item = item;
	return true;
}

bool reader_is_whole(const uint8_t *data, size_t size)
{
	struct reader reader = {data, data + size};
	struct reader_item item;

	return reader_take(&reader, &item) && reader_at_end(&reader);
}
