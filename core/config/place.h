/* SPDX-License-Identifier: Apache-2.0
 *
 * place.h - messages about a place of the configuration: "conf/pep.yaml:12:3: what, and what to do".
 */
#ifndef CORE_CONFIG_PLACE_H
#define CORE_CONFIG_PLACE_H

#include "core/config/config.h"

/* As pep_fail(), with the place in front. Without a line (a default, the environment, the command line) only its file is named.
 * [any thread] */
__attribute__((format(printf, 4, 5))) pep_status place_fail(struct pep_error *err, pep_status status,
							    const struct config_place *place, const char *format, ...);
/* Put the place in front of the message that *err holds. NULL: nothing happens. Returns the error's status. [any thread] */
pep_status place_prefix(struct pep_error *err, const struct config_place *place);

#endif
