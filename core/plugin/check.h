/* SPDX-License-Identifier: Apache-2.0
 *
 * check.h - looks at all plugins that a configuration names, without opening any.
 */
#ifndef CORE_PLUGIN_CHECK_H
#define CORE_PLUGIN_CHECK_H

#include "core/config/config.h"

/* Load each plugin and read its options, secrets included. On failure *err has the place and the cure. [main thread] */
pep_status check_plugins(const struct config *config, struct pep_error *err);

#endif
