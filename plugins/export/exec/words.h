/* SPDX-License-Identifier: Apache-2.0
 *
 * words.h - a text of the configuration as a list of arguments.
 */
#ifndef EXEC_WORDS_H
#define EXEC_WORDS_H

#include <stddef.h>

enum { WORDS_MAX = 64 };

/* Words with blanks between them, ended by NULL, in one piece of memory: the caller's to free(). No quoting, no shell. NULL: out of memory,
 * or over WORDS_MAX words. */
char **words_split(const char *text);

#endif
