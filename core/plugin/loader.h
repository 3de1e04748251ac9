/* SPDX-License-Identifier: Apache-2.0
 *
 * loader.h - from the name of a plugin to its checked functions: find, try out, dlopen, probe, check.
 */
#ifndef CORE_PLUGIN_LOADER_H
#define CORE_PLUGIN_LOADER_H

#include "core/plugin/library.h"

/* Load NAME.so from the folder; `kind` 0: of any kind. The same file is loaded once, however often it is asked for, and then stays
 * mapped until the process ends: database clients leave threads and exit handlers behind. It is loaded in a child process first: a
 * plugin that crashes then, in a constructor or because it is damaged, is refused like any other. *ret_library lives as long as the process.
 * Refusals are one line: what, of which plugin, why, what to do. [any thread] */
pep_status loader_load(const char *folder, const char *name, int32_t kind, const struct library **ret_library,
		       struct pep_error *err);

#endif
