/* SPDX-License-Identifier: Apache-2.0
 *
 * result.h - how a run of the tool ended, as the runner writes it and the plugin reads it: a few lines, then the end of its output.
 *
 *     pep-fcu-run 1
 *     serial GW-1
 *     end exited 0
 *     found 1 whole A-...        (identities, "whole" or "malformed", the first identity or "-")
 *     output
 *     ...
 */
#ifndef FCU_RESULT_H
#define FCU_RESULT_H

#include "output.h"

enum result_end {
	RESULT_EXITED = 1,  /* number: its exit code */
	RESULT_SIGNALLED,   /* number: the signal; not one of ours */
	RESULT_OVERDUE,     /* ended by the runner, at the time limit; number: not used */
	RESULT_CANCELLED,   /* ended by the runner, as the plugin asked to */
	RESULT_NOT_STARTED, /* number: errno; ETIME: the deadline had passed */
};

enum { RESULT_SIZE_MAX = 65536, RESULT_SERIAL_MAX = 256 };

struct result {
	char serial[RESULT_SERIAL_MAX];
	enum result_end end;
	int number;
	struct output_found found;
	const char *output; /* redacted; not NUL-terminated */
	size_t output_size;
};

/* *result as text into `room` bytes; output that does not fit loses its beginning. Returns the size; 0: it cannot be written. */
size_t result_print(const struct result *result, char *text, size_t room);
/* False: these bytes are no result. ret_result->output lies in `text`. */
bool result_read(const char *text, size_t size, struct result *ret_result);

#endif
