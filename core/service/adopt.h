/* SPDX-License-Identifier: Apache-2.0
 *
 * adopt.h - what becomes of the injections that an earlier start of this server began and that may have outlived it.
 */
#ifndef CORE_SERVICE_ADOPT_H
#define CORE_SERVICE_ADOPT_H

#include "core/service/provision.h"

/* Ask the injector about every pending attempt of earlier starts. One that has ended is recorded (rows 9 to 12), or spooled, and then
 * forgotten. Returns how many are to be asked about again: they still run, or their outcome could not be recorded. Never waits long.
 * [one thread at a time] */
unsigned adopt_all(struct provisioner *provisioner);
/* Is this attempt waited for, so that row 13 must not end it only because its start has ended? [any thread] */
bool adopt_is_awaited(const struct provisioner *provisioner, const char *nonce);

#endif
