/* SPDX-License-Identifier: Apache-2.0
 *
 * hint.h - what an operator can do about what the tool printed when it failed. Advice, and nothing else: what it printed does not change
 * what is known of the gateway.
 */
#ifndef FCU_HINT_H
#define FCU_HINT_H

#include <stddef.h>

/* Half a sentence, static; NULL: nothing in these bytes is known. [any thread] */
const char *hint_of_output(const char *output, size_t size);

#endif
