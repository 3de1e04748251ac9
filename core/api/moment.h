/* SPDX-License-Identifier: Apache-2.0
 *
 * moment.h - a moment as people write it: RFC 3339, or milliseconds since 1970.
 */
#ifndef CORE_API_MOMENT_H
#define CORE_API_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* "2027-03-01" (midnight UTC), "2027-03-01T06:30:00Z", "2027-03-01t06:30:00.25+02:00" (RFC 3339, 5.6), or "1804055400000".
 * What is below a millisecond is cut off. A space before hh:mm stands for the plus that a query turned into one.
 * False: none of these, no day of the calendar, or not within 1970 to 9999. [any thread] */
bool moment_parse(const char *text, int64_t *ret_ms);

#endif
