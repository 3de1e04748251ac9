/* SPDX-License-Identifier: Apache-2.0
 *
 * format.h - strict readers of the formats that a media type names: is a file whole, and how many records does it hold?
 */
#ifndef CONFORMANCE_FORMAT_H
#define CONFORMANCE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

/* Of one file; NULL for a format that is not known here. *ret_count is that of its lines (a header is one), rows or array elements;
 * -1: nothing to count. Returns NULL, or what is wrong in a few words. */
typedef const char *format_reader(const char *text, size_t size, long *ret_count);

/* CSV (RFC 4180), TSV (IANA text/tab-separated-values), JSON (RFC 8259), JSON lines. */
format_reader *format_find(const char *media_type);

#endif
