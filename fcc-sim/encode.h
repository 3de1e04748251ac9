/* SPDX-License-Identifier: Apache-2.0
 *
 * encode.h - CBOR heads and strings at the end of a buffer, lengths as short as they can be. [any thread]
 */
#ifndef FCC_SIM_ENCODE_H
#define FCC_SIM_ENCODE_H

#include "core/base/buffer.h"
#include "fcc-sim/span.h"

void encode_uint(struct buffer *out, uint64_t number);
void encode_text(struct buffer *out, struct span text);
void encode_bytes(struct buffer *out, struct span bytes);
void encode_array(struct buffer *out, size_t count);
/* A map of indefinite length; encode_break() ends it. */
void encode_map_start(struct buffer *out);
void encode_break(struct buffer *out);

#endif
