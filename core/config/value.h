/* SPDX-License-Identifier: Apache-2.0
 *
 * value.h - the meaning of a value as written in the configuration, the same for the server's keys and for a plugin's. [any thread]
 */
#ifndef CORE_CONFIG_VALUE_H
#define CORE_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* "true" or "false", nothing else. */
bool value_bool(const char *text, bool *ret_flag);
/* A whole number, perhaps negative, in decimal digits; no plus sign, no leading zeros. */
bool value_int(const char *text, int64_t *ret_number);
/* A time span in milliseconds, written with its unit: 500ms, 30s, 2m, 1h. */
bool value_span(const char *text, int64_t *ret_ms);
/* A span as one would write it, with the largest unit that leaves a whole number. */
void value_span_write(int64_t ms, char ret_text[32]);
/* A number for a message or a file: a span if it counts milliseconds. */
void value_number_write(int64_t number, bool is_span, char ret_text[32]);
/* The name of a plugin or of an instance: [a-z0-9_-]{1,32}. Never reads behind the 33rd byte. NULL is no name. */
bool value_is_name(const char *text);

#endif
