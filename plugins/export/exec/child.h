/* SPDX-License-Identifier: Apache-2.0
 *
 * child.h - the program as a child of the server, in a process group of its own, with three pipes and nothing else of ours.
 *
 * Not shared with the fcu injector: its tool hangs on a runner that outlives the server, and must; this one must not.
 */
#ifndef EXEC_CHILD_H
#define EXEC_CHILD_H

#include <pep/plugin.h>

#include <sys/types.h>

struct child {
	pid_t pid;        /* also that of its group; 0: reaped */
	int in, out, err; /* our ends, non-blocking; -1: closed */
	int ended;        /* poll() sees it readable when the program has ended; -1: closed, or this kernel has none */
};

/* `command`, `environment`: ended by NULL, the first word an absolute path. PEP_INTERNAL: it was not started. [any thread] */
pep_status child_start(char *const *command, char *const *environment, struct child *ret_child, struct pep_error *err);
/* Has it ended? And not with exit code 0? Then it is still there to be reaped by child_end(). */
bool child_has_ended(const struct child *child);
bool child_has_failed(const struct child *child);
/* Kills what is left of the group, reaps the program, closes the pipes. Returns its status as waitpid() does; -1: it is not known.
 * May be called again. */
int child_end(struct child *child);

void child_close(int *fd);

#endif
