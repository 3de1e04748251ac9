/* SPDX-License-Identifier: Apache-2.0
 *
 * csv.h - a page of the list as CSV, in the columns and the quoting of the original tool. [any thread]
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include "core/base/buffer.h"

#include <jansson.h>
#include <stdbool.h>

/* Appends the head line and one line per object of the array `results`. Texts are quoted and their quotes doubled, everything else in
 * them stays; numbers, true and false are bare; absent and null are empty; lines end with LF. False: a value is a list or an object,
 * or the buffer failed. */
bool csv_from_results(json_t *results, struct buffer *out);

#endif
