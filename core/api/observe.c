/* SPDX-License-Identifier: Apache-2.0
 *
 * observe.c - who learns that an attempt has ended.
 */
#include "core/api/api.h"
#include "core/service/journal.h"

void api_observe(const struct api_context *api, const struct journal_attempt *attempt)
{
	journal_add(api->journal, attempt);
}
