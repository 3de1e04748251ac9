/* SPDX-License-Identifier: Apache-2.0
 *
 * process.h - the runner as a child of the server: started with nothing but what it needs, waited for, told to stop.
 */
#ifndef FCU_PROCESS_H
#define FCU_PROCESS_H

#include <pep/plugin.h>

#include <sys/types.h>

struct process_plan {
	const char *runner;
	int state_folder, job; /* descriptors, the caller's */
	const char *nonce, *serial;
	int64_t deadline_ms, grace_ms, memory_mb;
	const char *secrets, *home; /* JOB_ARG_SECRETS, JOB_ARG_FOLDER */
	char *const *command;       /* the tool's, ended by NULL */
	char *const *environment;   /* the tool's, ended by NULL */
};

struct process {
	pid_t pid;
	int alive; /* ends when the runner does; -1: it has ended */
};

/* In a session of its own, so that nothing that happens to the server's reaches it. PEP_INTERNAL: it was not started. [any thread] */
pep_status process_start(const struct process_plan *plan, struct process *ret_process, struct pep_error *err);
/* True: it has ended within the time and is reaped. */
bool process_wait(struct process *process, int timeout_ms);
/* Ask it to end the tool; it then ends by itself. */
void process_cancel(const struct process *process);
/* It does not obey: kill it, and the tool dies with it. Waits for its end. */
void process_kill(struct process *process);

#endif
