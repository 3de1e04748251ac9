/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h - what a text may hold, and texts made of random or hashed bytes. [any thread]
 */
#ifndef CORE_BASE_TEXT_H
#define CORE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Valid UTF-8 (RFC 3629: no surrogates, no over-long forms) without control characters (C0, DEL, C1). `size` bytes, may hold NUL,
 * which is a control character. */
bool text_is_printable(const char *text, size_t size);
/* Valid UTF-8, control characters allowed. */
bool text_is_utf8(const char *text, size_t size);

/* A whole decimal number without sign, space or leading zero, within min and max. */
bool text_to_number(const char *text, int64_t min, int64_t max, int64_t *ret_number);

/* Equal, where NULL equals NULL only. */
bool text_equal(const char *a, const char *b);

/* `2 * size` lower-case hex digits and a NUL. */
void text_hex(const void *data, size_t size, char *ret_hex);
/* 2 * size hex digits of `size` random bytes (at most 64) from the kernel, and a NUL. Ends the process if the kernel has none. */
void text_random(size_t size, char *ret_hex);
/* SHA-256 of some bytes as 64 hex digits and a NUL. */
void text_sha256(const void *data, size_t size, char ret_hex[65]);

#endif
