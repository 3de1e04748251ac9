/* SPDX-License-Identifier: Apache-2.0
 *
 * slot.h - what every open plugin has, whatever its kind: library, option values, host, and the lock of a SERIAL one.
 */
#ifndef CORE_PLUGIN_SLOT_H
#define CORE_PLUGIN_SLOT_H

#include "core/base/cleanup.h"
#include "core/config/options.h"
#include "core/plugin/host.h"
#include "core/plugin/instance.h"
#include "core/plugin/library.h"

struct slot {
	const struct library *library;
	struct option_values *options;
	struct host host;
	char *name; /* of the instance */
	pthread_mutex_t mutex;
	bool is_serial;
};

/* Load the plugin and read its options; opens nothing. `slot` must not move afterwards. On failure nothing needs slot_fini(), and *err
 * begins with the place in the configuration. [main thread] */
pep_status slot_init(struct slot *slot, const struct instance_context *context, const struct config_instance *config, int32_t kind,
		     struct pep_error *err);
void slot_fini(struct slot *slot);

/* For the rest of the scope: AUTO(unlock_mutex) pthread_mutex_t *lock = slot_lock(slot); NULL for a PARALLEL plugin. */
pthread_mutex_t *slot_lock(struct slot *slot);

/* What a plugin's call returned, made fit for callers: a status that is not of this ABI becomes `otherwise`, a failure has a message that
 * ends. `err` may be NULL. */
pep_status slot_result(const struct slot *slot, pep_status status, pep_status otherwise, struct pep_error *err);
/* For a function that the plugin lacks. */
pep_status slot_unsupported(const struct slot *slot, const char *function, struct pep_error *err);

#endif
