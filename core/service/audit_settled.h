/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_settled.h - what the audit is told of an attempt that nobody waits for any more.
 */
#ifndef CORE_SERVICE_AUDIT_SETTLED_H
#define CORE_SERVICE_AUDIT_SETTLED_H

#include "core/service/provision.h"

/* For provisioner->settled: {"event":"settled"...} of docs/audit.md. `audit` is a struct audit. [any thread] */
void audit_settled(void *audit, const struct provision_settled *settled);

#endif
