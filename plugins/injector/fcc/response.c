/* SPDX-License-Identifier: Apache-2.0 */
#include "response.h"

#include "cursor.h"

#include <string.h>

#define DEPTH_LIMIT 8

bool response_is(struct blob bytes, const char *text)
{
	return bytes.data && bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

void response_show(struct blob bytes, char *ret_text, size_t size)
{
	size_t used = 0;

	while (bytes.size && (bytes.data[bytes.size - 1] == '\n' || bytes.data[bytes.size - 1] == ' '))
		bytes.size--;
	for (size_t i = 0; i < bytes.size && used + 3 < size; i++) {
		uint8_t byte = bytes.data[i];

		if (byte == '\n') {
			ret_text[used++] = ';';
			byte = ' ';
		}
		ret_text[used++] = byte >= ' ' && byte <= '~' ? (char)byte : '?';
	}
	ret_text[used] = '\0';
}

/* A text or bytes under a key that may stand there once. */
static bool take_bytes(const struct item *item, enum item_kind kind, struct blob *into)
{
	if (item->kind != kind || into->data)
		return false;
	*into = item->bytes;
	return true;
}

/* One {"PrKN": text, "Data": bytes}. Only the first is kept, all are counted. */
static bool read_csr(struct cursor *cursor, struct response *response)
{
	struct blob name = {0}, data = {0};
	struct item map, key, value;
	struct span span;

	if (!cursor_next(cursor, &map) || !span_begin(&span, &map, ITEM_MAP))
		return false;
	while (span_more(&span, cursor)) {
		if (!cursor_next(cursor, &key) || key.kind != ITEM_TEXT || !cursor_next(cursor, &value))
			return false;
		if (response_is(key.bytes, "PrKN")   ? !take_bytes(&value, ITEM_TEXT, &name)
		    : response_is(key.bytes, "Data") ? !take_bytes(&value, ITEM_BYTES, &data)
						     : !cursor_skip(cursor, &value, DEPTH_LIMIT))
			return false;
	}
	if (cursor->failed || !name.data || !data.data)
		return false;
	if (response->csr_count++ == 0) {
		response->csr_key_name = name;
		response->csr = data;
	}
	return true;
}

static bool read_csrs(struct cursor *cursor, const struct item *list, struct response *response)
{
	struct span span;

	if (response->csr_count || !span_begin(&span, list, ITEM_ARRAY))
		return false;
	while (span_more(&span, cursor))
		if (!read_csr(cursor, response))
			return false;
	return !cursor->failed;
}

/* The answer to one key; false: it is not what must stand there. */
static bool read_pair(struct cursor *cursor, struct blob key, struct response *response, bool *has_status)
{
	struct item value;

	if (!cursor_next(cursor, &value))
		return false;
	if (response_is(key, "ReturnStatus")) {
		if (value.kind != ITEM_NUMBER || *has_status)
			return false;
		response->return_status = value.number;
		*has_status = true;
		return true;
	}
	if (response_is(key, "SID"))
		return take_bytes(&value, ITEM_TEXT, &response->sid);
	if (response_is(key, "InfoMessage"))
		return take_bytes(&value, ITEM_TEXT, &response->info);
	if (response_is(key, "WarningInfo"))
		return take_bytes(&value, ITEM_TEXT, &response->warnings);
	if (response_is(key, "Csrs"))
		return read_csrs(cursor, &value, response);
	return cursor_skip(cursor, &value, DEPTH_LIMIT);
}

bool response_read(struct blob payload, struct response *ret_response, const char **ret_fault)
{
	struct cursor cursor = {.left = payload};
	struct response response = {0};
	bool has_status = false;
	struct item item;
	struct span span;

	*ret_fault = "it is not one CBOR map";
	if (!cursor_next(&cursor, &item) || !span_begin(&span, &item, ITEM_MAP))
		return false;
	while (span_more(&span, &cursor)) {
		if (!cursor_next(&cursor, &item) || item.kind != ITEM_TEXT)
			return false;
		*ret_fault = "a value in it has the wrong type, or stands there twice";
		if (!read_pair(&cursor, item.bytes, &response, &has_status))
			return false;
		*ret_fault = "it is not one CBOR map";
	}
	if (cursor.failed || cursor.left.size)
		return false;
	*ret_fault = "it has no ReturnStatus";
	if (!has_status)
		return false;
	*ret_response = response;
	return true;
}
