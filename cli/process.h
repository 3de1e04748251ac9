/* SPDX-License-Identifier: Apache-2.0
 *
 * process.h - runs another program with an argument list: no shell, standard input closed, talk on our stderr. One thread.
 */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include <stddef.h>

/* Runs argv[0], found by PATH, and waits for its end, whatever signal comes (it is passed on). `ret_line` takes the first line of its
 * output without line end, cut at `room` - 1 bytes; the rest is thrown away. Returns its exit status, 128 and the number of the
 * signal that ended it, or 127: it could not be started. */
int process_run(const char *const *argv, char *ret_line, size_t room);

#endif
