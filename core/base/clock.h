/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.h - what time it is, in milliseconds. [any thread]
 */
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Since 1970 UTC; may jump when somebody sets the clock. For records and logs. */
int64_t clock_wall_ms(void);
/* Since the machine started, suspended time included (CLOCK_BOOTTIME); never jumps. For deadlines. */
int64_t clock_boot_ms(void);
/* The same without the time that the machine was suspended (CLOCK_MONOTONIC). For how long something has been at work. */
int64_t clock_work_ms(void);
/* The CLOCK_MONOTONIC time in timeout_ms from now, for a condition with that clock. */
struct timespec clock_monotonic_after(int64_t timeout_ms);

#endif
