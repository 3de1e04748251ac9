/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.h - tells people on standard error how far a long command has come: each second on a terminal, twice a minute elsewhere.
 */
#ifndef CORE_COMMAND_PROGRESS_H
#define CORE_COMMAND_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
	pthread_mutex_t mutex;
	const char *doing; /* "copying"; borrowed until progress_end() */
	int64_t done, total;
	int64_t begin_ms, next_ms;
	bool is_terminal, has_line; /* a line stands on the terminal, to be written over */
};

/* `doing` NULL: nothing is told. `total` 0: not known. */
void progress_begin(struct progress *progress, const char *doing, int64_t total);
/* One more record. [any thread] */
void progress_step(struct progress *progress);
/* Clears the line on a terminal. */
void progress_end(struct progress *progress);

#endif
