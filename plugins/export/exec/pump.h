/* SPDX-License-Identifier: Apache-2.0
 *
 * pump.h - moves bytes between the server and the program, in both directions at once.
 *
 * The program may write before it reads, much more than it reads, or nothing until its input ends. The server gives a limited room for
 * what it writes with each call, and comes again. So each call moves what it can, and stops when the room is full, or when what
 * it was called for is done. A pipe that nobody empties holds up the program only until the next call.
 */
#ifndef EXEC_PUMP_H
#define EXEC_PUMP_H

#include "child.h"

#include <pep/exporter.h>

enum { PUMP_LOG_MAX = 16384 }; /* bytes of standard error that are logged, of one run */

/* Zeroed at first, but for the first three. */
struct pump {
	const struct pep_host *host;
	int64_t silence_ms; /* the program moves nothing for so long while we wait for it: it hangs */
	int64_t limit_ms;   /* of waiting for it, in all */
	struct child child;
	const char *path; /* for messages */
	/* What it has not read yet. */
	char *line;
	size_t line_start, line_size;
	bool is_ending; /* its input ends behind that */
	int64_t waited_ms;
	char log[512]; /* the line of standard error that is being read */
	size_t log_size, logged;
	bool is_muted;
};

/* Until the program has read the line or, with is_ending, has ended well; or until the sink is full: *ret_more. PEP_INTERNAL:
 * it failed, or hung, and *err says how; what the sink returns: the run is over. */
pep_status pump_move(struct pump *pump, struct pep_sink *sink, bool *ret_more, struct pep_error *err);

#endif
