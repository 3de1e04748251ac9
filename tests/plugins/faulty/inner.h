/* SPDX-License-Identifier: Apache-2.0
 *
 * inner.h - the plugin that is wrapped: loaded, given its options, opened.
 */
#ifndef FAULTY_INNER_H
#define FAULTY_INNER_H

#include "core/config/options.h"

#include <pep/storage.h>

struct inner {
	struct pep_storage_ops ops; /* in our size; what the plugin lacks is NULL */
	struct option_values *options;
	void *store;
};

/* `options`: "KEY=VALUE;KEY=VALUE", as in a configuration; relative paths are below `folder`. On failure nothing needs inner_close(). */
pep_status inner_open(const struct pep_host *host, const char *file, const char *options, const char *folder,
		      struct inner *ret_inner, struct pep_error *err);
void inner_close(struct inner *inner);

#endif
