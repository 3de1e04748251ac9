/* SPDX-License-Identifier: Apache-2.0
 *
 * provision_event.h - what the audit is told of an attempt to provision.
 */
#ifndef CORE_API_PROVISION_EVENT_H
#define CORE_API_PROVISION_EVENT_H

#include "core/api/api.h"
#include "core/service/provision.h"

/* An attempt has ended: {"event":"provision"...} of docs/audit.md. It cannot be refused any more. `outcome`: deployed, replayed, refused,
 * failed, in_doubt or not_done; `code`: as in Pep-Error. [any thread] */
void provision_event_record(const struct api_context *api, const struct http_request *request,
			    const struct provision_request *provision, const struct provision_result *result, const char *outcome,
			    const char *code);

#endif
