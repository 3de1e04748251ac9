/* SPDX-License-Identifier: Apache-2.0
 *
 * fcu.h - one instance of the injector: what plugin.c opened and visit.c works with.
 */
#ifndef FCU_FCU_H
#define FCU_FCU_H

#include "command.h"
#include "files.h"

#include <pep/injector.h>
#include <pthread.h>

/* Files that the tool needs and that are looked for at start. */
enum needed { NEEDED_CONFIG, NEEDED_CERTIFICATE, NEEDED_PRIVATE_KEY, NEEDED_COUNT };

struct fcu {
	const struct pep_host *host;
	struct command_values values; /* python, script and home; the gateway's are filled in for each visit */
	char *script;                 /* absolute; values.script */
	const char *command, *environment, *secrets, *runner;
	const char *needed[NEEDED_COUNT]; /* relative to home, or absolute; empty: not needed */
	int64_t kill_after_ms, memory_mb;
	struct files files;
	pthread_mutex_t mutex; /* guards `busy` */
	pthread_cond_t freed;  /* CLOCK_MONOTONIC */
	int64_t busy, parallel;
};

/* `name` in the home folder, or where it says itself. The caller's to free(); NULL: no memory. */
char *fcu_path(const struct fcu *fcu, const char *name);

/* As in pep/injector.h. [any thread] */
pep_status visit_inject(struct fcu *fcu, const struct pep_target *target, const struct pep_identity *id, int64_t timeout_ms,
			struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err);
pep_status visit_adopt(struct fcu *fcu, const struct pep_identity *id, int64_t timeout_ms, struct pep_injection *ret,
		       struct pep_error *err);

#endif
