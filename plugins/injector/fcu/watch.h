/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.h - sees to it that the tool ends in time, and reads what it prints meanwhile.
 */
#ifndef FCU_WATCH_H
#define FCU_WATCH_H

#include "result.h"
#include "tail.h"
#include "tool.h"

struct watch_plan {
	int64_t deadline_ms; /* boot_ms(): SIGKILL */
	int64_t grace_ms;    /* SIGTERM so long before; also between the two after a cancellation */
	int timer;           /* a timerfd of CLOCK_BOOTTIME; here and below non-blocking */
	int signals;         /* a signalfd: SIGCHLD looks after the tool, SIGTERM cancels */
};

struct watch_report {
	enum result_end end;
	int number;
	struct output_found found;
	struct tail out, err;
};

/* Until the tool has ended; then nothing of it is left running. Closes its streams. *ret_report is zeroed by the caller. */
void watch_tool(const struct watch_plan *plan, struct tool *tool, struct watch_report *ret_report);

#endif
