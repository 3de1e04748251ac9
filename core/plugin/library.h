/* SPDX-License-Identifier: Apache-2.0
 *
 * library.h - what a plugin file said about itself, checked and widened to the structs that this server was compiled with.
 */
#ifndef CORE_PLUGIN_LIBRARY_H
#define CORE_PLUGIN_LIBRARY_H

#include <pep/exporter.h>
#include <pep/injector.h>
#include <pep/storage.h>

struct library {
	struct pep_plugin plugin;   /* ours; name and version point into the plugin, which stays mapped */
	struct pep_option *options; /* ours, ended by a NULL key; NULL: none */
	union {
		struct pep_storage_ops storage;
		struct pep_injector_ops injector;
		struct pep_exporter_ops exporter;
	} ops; /* the member that plugin.kind names; functions that the plugin lacks are NULL */
};

/* Check `theirs`, which the file NAME.so returned, from its first bytes on: ABI, sizes, known kind, name, required functions, options.
 * Reads nothing behind the sizes that it gives. On failure nothing needs library_fini(). *err says what is wrong and
 * what to do. [any thread] */
pep_status library_read(const struct pep_plugin *theirs, const char *name, struct library *ret_library, struct pep_error *err);
void library_fini(struct library *library);

/* "storage", "injector", "exporter" */
const char *library_kind_name(int32_t kind);

#endif
