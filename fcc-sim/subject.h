/* SPDX-License-Identifier: Apache-2.0
 *
 * subject.h - the subject of a request, from a text like "C=GB,O=Org,CN=name", by the rules of Mbed TLS 2.28. [any thread]
 */
#ifndef FCC_SIM_SUBJECT_H
#define FCC_SIM_SUBJECT_H

#include "core/base/buffer.h"
#include "fcc-sim/span.h"

/* Appends the DER Name. A comma in a value is written "\,"; a text without '=' gives an empty name; an attribute given twice keeps
 * its first place and its last value. `common_name`: put in place of the text's CN, if that has one; NULL: none.
 * False: unknown attribute, a value over 255 bytes, a back-slash before anything but a comma, over 32 attributes. */
bool subject_put(struct buffer *out, struct span text, const char *common_name);

#endif
