/* SPDX-License-Identifier: Apache-2.0
 *
 * completion.h - completion scripts for shells, made of the table of commands. [any thread]
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

/* The script for "bash", "zsh" or "fish". The caller frees it. NULL: another shell, or out of memory. */
char *completion_script(const char *shell);

#endif
