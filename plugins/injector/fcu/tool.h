/* SPDX-License-Identifier: Apache-2.0
 *
 * tool.h - the tool as a child of the runner: started within limits, in a process group of its own, and ended with all that it left.
 */
#ifndef FCU_TOOL_H
#define FCU_TOOL_H

#include <stdint.h>
#include <sys/types.h>

struct tool_plan {
	char *const *command; /* an absolute path and arguments, ended by NULL */
	const char *folder;   /* where it is started */
	int64_t deadline_ms;  /* boot_ms(): not started from then on */
	int64_t memory_mb;    /* 0: no limit */
};

struct tool {
	pid_t pid;    /* also that of its group; not reaped before tool_end_all() */
	int out, err; /* what it prints: non-blocking, the caller's to close */
};

/* 0, or an errno: then nothing was started (ETIME: the deadline had passed). The caller has one thread and is the only one that starts
 * children. The tool has the caller's environment, no signal blocked, and dies with the caller. */
int tool_start(const struct tool_plan *plan, struct tool *ret_tool);

/* To the tool and its whole group. */
void tool_signal(const struct tool *tool, int number);
/* Kill the group and all descendants, those that left the group, too, and reap them. */
void tool_end_all(const struct tool *tool);

#endif
