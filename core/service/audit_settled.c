/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_settled.h"

#include "core/service/audit.h"

void audit_settled(void *audit, const struct provision_settled *settled)
{
	json_t *event =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "event", "settled", "actor", "server", "serial", settled->serial,
			  "outcome", settled->outcome, "by", settled->by, "attempt", (json_int_t)settled->attempt);

	if (event && settled->enrollment_id)
		(void)json_object_set_new(event, "enrollment_id", json_string(settled->enrollment_id));
	if (event && settled->detail)
		(void)json_object_set_new(event, "detail", json_string(settled->detail));
	audit_record(audit, event);
}
