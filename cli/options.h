/* SPDX-License-Identifier: Apache-2.0
 *
 * options.h - turns argv into a session by the table of commands.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/session.h"

/* Reads `pep-cli [options] [command {options} [argument]]`. EXIT_USAGE: unknown option or command, option without its value, a
 * word too many; what was read until then is in the session. It borrows argv. Uses getopt_long(): one call at a time. */
int options_parse(int argc, char **argv, struct session *ret_session, struct failure *err);

#endif
