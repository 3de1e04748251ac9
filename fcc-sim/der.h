/* SPDX-License-Identifier: Apache-2.0
 *
 * der.h - as much DER (X.690) as a request for a certificate and a distinguished name need.
 */
#ifndef FCC_SIM_DER_H
#define FCC_SIM_DER_H

#include "core/base/buffer.h"
#include "fcc-sim/span.h"

enum der_tag {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_IA5 = 0x16,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_0 = 0xa0,
};

struct der_value {
	uint8_t tag;
	struct span contents, whole;
};

/* One value, whose encoding is taken off the front of `rest`. False: there is none, or it is cut short. */
bool der_take(struct span *rest, struct der_value *ret_value);
/* The same, of this tag only. */
bool der_take_tag(struct span *rest, enum der_tag tag, struct der_value *ret_value);

/* Appends a value with these contents. */
void der_put(struct buffer *out, enum der_tag tag, struct span contents);
/* Contents that another buffer holds. */
void der_put_buffer(struct buffer *out, enum der_tag tag, const struct buffer *contents);

#endif
