/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/der.h"

bool der_take(struct span *rest, struct der_value *ret_value)
{
	size_t size, head = 2;

	if (rest->size < 2)
		return false;
	size = rest->data[1];
	if (size >= 0x80) {
		size_t count = size & 0x7f;

		if (count < 1 || count > 4 || rest->size < head + count)
			return false;
		size = 0;
		for (size_t i = 0; i < count; i++)
			size = size << 8 | rest->data[head + i];
		head += count;
	}
	if (size > rest->size - head)
		return false;
	*ret_value = (struct der_value){
		.tag = rest->data[0],
		.contents = {rest->data + head, size},
		.whole = {rest->data, head + size},
	};
	rest->data += head + size;
	rest->size -= head + size;
	return true;
}

bool der_take_tag(struct span *rest, enum der_tag tag, struct der_value *ret_value)
{
	return der_take(rest, ret_value) && ret_value->tag == tag;
}

void der_put(struct buffer *out, enum der_tag tag, struct span contents)
{
	buffer_byte(out, (char)tag);
	if (contents.size < 0x80) {
		buffer_byte(out, (char)contents.size);
	} else if (contents.size < 0x100) {
		buffer_byte(out, (char)0x81);
		buffer_byte(out, (char)contents.size);
	} else if (contents.size < 0x10000) {
		buffer_byte(out, (char)0x82);
		buffer_byte(out, (char)(contents.size >> 8));
		buffer_byte(out, (char)(contents.size & 0xff));
	} else {
		out->failed = true; /* nothing that is made here is that long */
	}
	buffer_append(out, contents.data, contents.size);
}

void der_put_buffer(struct buffer *out, enum der_tag tag, const struct buffer *contents)
{
	der_put(out, tag, (struct span){(const uint8_t *)contents->data, contents->size});
	out->failed |= contents->failed;
}
