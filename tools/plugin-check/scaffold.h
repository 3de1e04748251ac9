/* SPDX-License-Identifier: Apache-2.0
 *
 * scaffold.h - a plugin to begin with: it builds, passes its test, and writes a file.
 */
#ifndef PLUGIN_CHECK_SCAFFOLD_H
#define PLUGIN_CHECK_SCAFFOLD_H

#include <pep/plugin.h>

/* Write the files of a new plugin into `folder`, which is made if it is not there; nothing that is there is touched. `kind`: "exporter".
 * A line to `out` for each file, and what to do next. [main thread] */
pep_status scaffold_make(const char *kind, const char *name, const char *folder, FILE *out, struct pep_error *err);

#endif
