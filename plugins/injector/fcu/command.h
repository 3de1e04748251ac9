/* SPDX-License-Identifier: Apache-2.0
 *
 * command.h - the tool's argument vector, made from a template, and its environment, made from a list of what it may have.
 *
 * Template: words with blanks between them, one argument each. {python}, {script} and {home} stand for options, {serial}, {ip} and
 * {port} for the gateway's, in place and byte for byte: a blank or quote in them stays in that argument. No shell, no quoting.
 */
#ifndef FCU_COMMAND_H
#define FCU_COMMAND_H

#include <pep/plugin.h>

enum { COMMAND_WORDS_MAX = 64 };

/* What stands for the placeholders. Borrowed. */
struct command_values {
	const char *python, *script, *home;
	const char *serial, *ip;
	uint16_t port;
};

/* PEP_INVALID: an unknown placeholder, a missing {serial}, {ip} or {port}, too many words, or a first word that is not an absolute path.
 * `values` holds the options; the gateway's are not looked at. */
pep_status command_check(const char *format, const struct command_values *values, struct pep_error *err);
/* The vector, ended by NULL, in one piece of memory: the caller's to free(). PEP_INVALID: a word that is a placeholder would begin with
 * a dash, which the tool would read as an option. */
pep_status command_build(const char *format, const struct command_values *values, char ***ret_argv, struct pep_error *err);

/* NAME=VALUE texts, ended by NULL, in one piece of memory: the caller's to free(). PATH, LC_ALL, LANG, FCU_HOME_DIR and TMPDIR; then
 * each word of both lists: NAME takes this process's value, if it has one; NAME=VALUE is as it says. */
pep_status command_environment(const char *home, const char *folder, const char *names, const char *secrets,
			       char ***ret_environment, struct pep_error *err);
/* PEP_INVALID: a word that is neither NAME nor NAME=VALUE; in a list of secrets it must be NAME. */
pep_status command_check_names(const char *names, bool secrets, struct pep_error *err);

#endif
