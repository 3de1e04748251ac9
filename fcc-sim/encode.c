/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/encode.h"

#include <cbor/encoding.h>

#define HEAD_MAX_SIZE 9u

static void append_head(struct buffer *out, const unsigned char *head, size_t size)
{
	buffer_append(out, head, size);
	out->failed |= size == 0;
}

void encode_uint(struct buffer *out, uint64_t number)
{
	unsigned char head[HEAD_MAX_SIZE];

	append_head(out, head, cbor_encode_uint(number, head, sizeof(head)));
}

void encode_text(struct buffer *out, struct span text)
{
	unsigned char head[HEAD_MAX_SIZE];

	append_head(out, head, cbor_encode_string_start(text.size, head, sizeof(head)));
	buffer_append(out, text.data, text.size);
}

void encode_bytes(struct buffer *out, struct span bytes)
{
	unsigned char head[HEAD_MAX_SIZE];

	append_head(out, head, cbor_encode_bytestring_start(bytes.size, head, sizeof(head)));
	buffer_append(out, bytes.data, bytes.size);
}

void encode_array(struct buffer *out, size_t count)
{
	unsigned char head[HEAD_MAX_SIZE];

	append_head(out, head, cbor_encode_array_start(count, head, sizeof(head)));
}

void encode_map_start(struct buffer *out)
{
	unsigned char head[HEAD_MAX_SIZE];

	append_head(out, head, cbor_encode_indef_map_start(head, sizeof(head)));
}

void encode_break(struct buffer *out)
{
	unsigned char head[HEAD_MAX_SIZE];

	append_head(out, head, cbor_encode_break(head, sizeof(head)));
}
