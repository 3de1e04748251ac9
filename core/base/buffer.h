/* SPDX-License-Identifier: Apache-2.0
 *
 * buffer.h - bytes that grow, up to a limit given at birth. A failed append is remembered, so that a writer may go on and look
 * once at the end.
 */
#ifndef CORE_BASE_BUFFER_H
#define CORE_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	char *data; /* NULL while empty; not NUL-terminated */
	size_t size, room, limit;
	bool failed; /* out of memory or over the limit; stays until buffer_fini() */
};

/* An empty buffer that may grow to `limit` bytes. */
void buffer_init(struct buffer *buffer, size_t limit);
void buffer_fini(struct buffer *buffer);

/* Room for `size` more bytes, to be filled by the caller, who then adds to buffer->size. NULL: failed. */
char *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_byte(struct buffer *buffer, char byte);
void buffer_number(struct buffer *buffer, int64_t number);
__attribute__((format(printf, 2, 3))) void buffer_format(struct buffer *buffer, const char *format, ...);

/* A JSON string with its quotes (RFC 8259): UTF-8 as it is, `"`, `\` and control characters (C0, DEL, C1) escaped. NULL: null. */
void buffer_json_text(struct buffer *buffer, const char *text);

#endif
