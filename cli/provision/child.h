/* SPDX-License-Identifier: Apache-2.0
 *
 * child.h - starts another program with an argument list, without a shell, and ends it. It dies with us, whatever ends us. One thread.
 */
#ifndef CLI_PROVISION_CHILD_H
#define CLI_PROVISION_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child_call {
	const char *const *argv; /* argv[0]: a path, or a name that PATH finds */
	const char *const
		*extra;     /* NAME=VALUE on top of our environment, which goes without PEP_TOKEN; ends with NULL; may be NULL */
	const char *folder; /* to start in; NULL: ours */
	int terminal;       /* becomes its controlling terminal and standard output; -1: output goes to our standard error */
	bool quiet;         /* its output goes nowhere */
};

/* The new process leads a session and a process group of its own. -1: errno, also why the program cannot be run. */
pid_t child_start(const struct child_call *call);
/* Waits until it has ended: true and its status of waitpid(), or false when the time is over. Signals to us do not end the wait. */
bool child_wait(pid_t pid, int64_t limit_ms, int *ret_status);
/* Ends its whole group: SIGTERM, and SIGKILL after the time. The child is waited for. */
void child_end(pid_t pid, int64_t grace_ms);

#endif
