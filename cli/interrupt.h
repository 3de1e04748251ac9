/* SPDX-License-Identifier: Apache-2.0
 *
 * interrupt.h - SIGINT, SIGTERM and SIGHUP set a mark instead of ending the process, so that every way out tidies up.
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include "cli/exit.h"

#include <stdbool.h>
#include <stdint.h>

/* Once, at the start. A signal that was ignored stays ignored (nohup). SIGPIPE is ignored from here on: writing says EPIPE. */
void interrupt_install(void);
/* The signal that came; 0: none. */
int interrupt_signal(void);
/* Waits that long, or until a signal came: then true. */
bool interrupt_wait(int64_t wait_ms);
/* Fills *err and returns the exit code of the signal that came: 130 for SIGINT, 128 and its number for another. */
int interrupt_failure(struct failure *err);

#endif
