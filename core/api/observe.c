/* SPDX-License-Identifier: Apache-2.0
 *
 * observe.c - who learns that an attempt has ended.
 */
#include "core/api/api.h"
#include "core/http/broadcast.h"
#include "core/service/journal.h"
#include "core/service/meters.h"

void api_observe(const struct api_context *api, const struct journal_attempt *attempt)
{
	journal_add(api->journal, attempt);
	meters_add(api->meters, attempt->outcome, attempt->code, attempt->ms);
	broadcast_tell(api->broadcast);
}
