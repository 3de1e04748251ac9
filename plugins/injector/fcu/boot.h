/* SPDX-License-Identifier: Apache-2.0
 *
 * boot.h - the clock of deadlines: it goes on while the machine sleeps, is never set, and is the same in every process.
 */
#ifndef FCU_BOOT_H
#define FCU_BOOT_H

#include <stdint.h>
#include <time.h>

static inline int64_t boot_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
