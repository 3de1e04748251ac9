/* SPDX-License-Identifier: Apache-2.0
 *
 * leftover.h - what a tool left running when its runner was killed: the kernel ends the tool then, and not what the tool had started.
 */
#ifndef FCU_LEFTOVER_H
#define FCU_LEFTOVER_H

#include <stdbool.h>

/* Kill every process of this user that was given `folder`, an attempt's own, as its TMPDIR. No number of a process is remembered, so none
 * can be mistaken. Waits for their end, a tenth of a second for
 * each and 20 times at most. False: something of it is still there. [any thread] */
bool leftover_kill(const char *folder);

#endif
