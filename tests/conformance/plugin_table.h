/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin_table.h - what holds for the table of every plugin, whatever its kind.
 */
#ifndef CONFORMANCE_PLUGIN_TABLE_H
#define CONFORMANCE_PLUGIN_TABLE_H

#include <pep/plugin.h>

/* Load the plugin in `file` and check its table as a cmocka test would: the probe answers for its ABI only, sizes and names fit, the
 * options can be read. The library stays loaded, so that sanitizers can name its functions. */
const struct pep_plugin *plugin_table_load(const char *file, int32_t kind);

/* What a plugin is given in open(); it never stops. */
struct pep_host plugin_table_host(void);

#endif
