/* SPDX-License-Identifier: Apache-2.0
 *
 * subject.h - the plugin under test: a copy of it in a folder of its own, loaded by the server's own code, with its options read.
 */
#ifndef PLUGIN_CHECK_SUBJECT_H
#define PLUGIN_CHECK_SUBJECT_H

#include "core/config/config.h"
#include "core/config/options.h"
#include "core/plugin/instance.h"
#include "core/plugin/library.h"

struct subject {
	char folder[256];              /* removed at the end, with all that is in it */
	char *file;                    /* the copy, FOLDER/plugins/NAME.so: whoever owns the original, it can be loaded */
	char *name;                    /* of the plugin, from that of the file */
	struct config_option *options; /* of --set */
	struct config_instance config; /* made of these */
	const struct library *library; /* once subject_load() is done */
};

/* `path`: "build/acme.so". `settings`: "KEY=VALUE", which must outlive the subject. *ret_subject is the caller's, for subject_fini();
 * it must not move. [main thread] */
pep_status subject_init(const char *path, const char *const *settings, size_t setting_count, struct subject *ret_subject,
			struct pep_error *err);
/* Fine after any failure, and twice. */
void subject_fini(struct subject *subject);

/* Map it and read what it says of itself, as the server does when it starts. */
pep_status subject_load(struct subject *subject, struct pep_error *err);
/* What to open it with. `number` gives each store a data folder of its own. *ret_values is the caller's, for options_free(). */
pep_status subject_values(const struct subject *subject, unsigned number, struct option_values **ret_values, struct pep_error *err);
/* What core/plugin/instance.h opens it with. */
struct instance_context subject_context(const struct subject *subject, char *room, size_t size);

#endif
