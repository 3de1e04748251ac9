/* SPDX-License-Identifier: Apache-2.0
 *
 * conf.h - a file of NAME=VALUE lines that stands behind the environment: what is not set there is taken from here.
 */
#ifndef CLI_PROVISION_CONF_H
#define CLI_PROVISION_CONF_H

#include "cli/exit.h"

/* Reads the file that PEP_CONFIG names, or else ROOT/etc/pep/pep-cli.conf if there is one, and sets every variable of it that is not set
 * or empty. Blank lines and lines that begin with # are skipped, blanks around name and value dropped, a pair of double quotes around a
 * value too. EXIT_CONFIGURATION: it cannot be read, a line has no =, a name is unknown, or it holds a token and others may read it. */
int conf_load(const char *root, struct failure *err);

#endif
